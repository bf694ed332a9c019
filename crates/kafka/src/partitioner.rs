/// The seed of murmur2 in the Java client's `Utils.murmur2`.
const SEED: u32 = 0x9747_b28c;

/// The partition of a record with `key` in a topic of `partitions` partitions, as the Java client's
/// default partitioner chooses it.
///
/// # Panics
/// Where `partitions` is not positive: no topic is like that.
pub fn partition_of(key: &[u8], partitions: i32) -> i32 {
    assert!(partitions > 0, "a topic has at least one partition, not {partitions}");
    // The Java client clears the sign bit instead of taking the absolute value.
    let positive = murmur2::murmur2(key, SEED) & 0x7fff_ffff;
    let partition = positive % partitions.unsigned_abs();
    i32::try_from(partition).expect("a remainder is smaller than the i32 it was divided by")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only place that calls murmur2: a key in, the Java client's hash out.
    #[track_caller]
    fn check(key: &str, java: i32) {
        assert_eq!(murmur2::murmur2(key.as_bytes(), SEED).cast_signed(), java, "key: {key}");
    }

    // The values of `UtilsTest.testMurmur2` of the Java client.
    #[test]
    fn keys_hash_as_in_the_java_client() {
        check("21", -973_932_308);
        check("foobar", -790_332_482);
        check("a-little-bit-long-string", -985_981_536);
        check("a-little-bit-longer-string", -1_486_304_829);
        check("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971);
        check("abc", 479_470_107);
    }

    #[test]
    fn a_partition_is_one_of_the_topics() {
        for key in ["21", "foobar", "", "abc"] {
            for partitions in [1, 6, i32::MAX] {
                assert!((0..partitions).contains(&partition_of(key.as_bytes(), partitions)));
            }
        }
    }
}
