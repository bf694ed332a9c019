/// Rounds that do not count: the broker is a Java machine, too, and answers in its first half a minute
/// many times slower than later.
pub(crate) const COLD_ROUNDS: usize = 1;

/// Measures each of `all` once in every round: what the machine does meanwhile is the same for all.
///
/// The first `uncounted` rounds are left out of what is returned, and `repeats` follow. `measure` gets the
/// number of the round, from 0 on.
pub(crate) fn in_rounds<K: Copy, T>(
    all: impl IntoIterator<Item = K>,
    uncounted: usize,
    repeats: usize,
    mut measure: impl FnMut(K, usize) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<(K, Vec<T>)>> {
    let mut measured: Vec<_> = all.into_iter().map(|one| (one, Vec::new())).collect();
    for round in 0..uncounted + repeats {
        for (one, outcomes) in &mut measured {
            let outcome = measure(*one, round)?;
            if round >= uncounted {
                outcomes.push(outcome);
            }
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured_in_turns_and_the_first_rounds_do_not_count() {
        let mut calls = Vec::new();
        let measured = in_rounds(['a', 'b'], 1, 2, |one, round| {
            calls.push((one, round));
            Ok(round)
        });
        assert_eq!(calls, [('a', 0), ('b', 0), ('a', 1), ('b', 1), ('a', 2), ('b', 2)]);
        assert_eq!(measured.unwrap(), [('a', vec![1, 2]), ('b', vec![1, 2])]);
    }
}
