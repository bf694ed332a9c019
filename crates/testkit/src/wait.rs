use std::time::{Duration, Instant};

/// The pause between two looks: short beside any deadline, long beside one look.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until `probe` returns `Ok`, and returns what it returned.
///
/// # Panics
///
/// When `deadline` has passed; the message carries `what` and the last status.
#[track_caller]
pub fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> Result<T, String>,
) -> T {
    match poll(deadline, &mut probe) {
        Ok(value) => value,
        Err(status) => panic!("waited {deadline:?} for {what}; last status: {status}"),
    }
}

/// As [`wait_until`], but hands back the last status instead of panicking.
pub(crate) fn poll<T>(
    deadline: Duration,
    probe: &mut dyn FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let started = Instant::now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(status) if started.elapsed() >= deadline => return Err(status),
            Err(_) => pause(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the state of another process has no event to wait on; every look has a deadline"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_comes_is_returned() {
        let mut looks = 0;
        let seen = wait_until("the third look", Duration::from_secs(5), || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("look {looks}")) }
        });
        assert_eq!(seen, 3);
    }

    #[test]
    #[should_panic(expected = "for a miracle; last status: none yet")]
    fn a_state_that_never_comes_panics_with_the_last_status() {
        wait_until("a miracle", Duration::from_millis(1), || Err::<(), _>("none yet".to_owned()));
    }
}
