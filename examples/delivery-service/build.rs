//! Makes Rust types of the contract: the files of `proto/`, which any team may copy.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    println!("cargo::rerun-if-changed={root}");
    let files = ["bindery/v1/assignment.proto", "bindery/v1/template_content.proto"];
    let descriptors = protox::compile(files, [root])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
