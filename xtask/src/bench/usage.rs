use std::fs;

use anyhow::Context as _;

/// Kernel clock ticks in a second, as every Linux on the machines we build for has them.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds this process has used so far, in user and kernel.
pub(crate) fn cpu_seconds() -> anyhow::Result<f64> {
    let stat =
        fs::read_to_string("/proc/self/stat").context("`/proc/self/stat` is not readable")?;
    // The second field, the command's name, may hold anything but ends at the last parenthesis.
    let fields = stat.rsplit_once(") ").context("`/proc/self/stat` has no command name")?.1;
    let ticks = |index: usize| -> anyhow::Result<f64> {
        let field = fields.split(' ').nth(index).context("`/proc/self/stat` is too short")?;
        Ok(field.parse::<f64>()?)
    };
    // `utime` and `stime` are fields 14 and 15 of the whole line.
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// The most memory this process has had resident, in MiB.
pub(crate) fn peak_mib() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no `VmHWM`")?;
    Ok(kib.trim().parse::<f64>()? / 1024.0)
}
