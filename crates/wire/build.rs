//! Compiles `proto/bindery/v1` without protoc: the descriptors that are shipped, and the code the
//! tests hold our own decoders and encoders against.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("bindery/v1"))? {
        files.push(entry?.path());
    }
    // The order of a directory is not the same everywhere; the descriptors should be.
    files.sort();
    let descriptors = protox::compile(&files, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.binpb"), descriptors.encode_to_vec())?;
    prost_build::Config::new().out_dir(&out).compile_fds(descriptors)?;
    Ok(())
}
