#![expect(
    unsafe_code,
    reason = "the safe API does not tell which member of its group a consumer is"
)]

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use rdkafka::bindings::{
    rd_kafka_consumer_group_metadata, rd_kafka_consumer_group_metadata_destroy,
    rd_kafka_consumer_group_metadata_generation_id, rd_kafka_consumer_group_metadata_group_id,
    rd_kafka_consumer_group_metadata_group_instance_id, rd_kafka_consumer_group_metadata_member_id,
    rd_kafka_consumer_group_metadata_t,
};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

/// Which member of which group a consumer is: what goes with offsets that are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMembership {
    /// The group.
    pub group: String,
    /// The generation that the member was last told; -1 while it is none.
    pub generation: i32,
    /// The member; empty while it is none.
    pub member_id: String,
    /// The name of a static member.
    pub group_instance_id: Option<String>,
}

impl GroupMembership {
    /// What `consumer` is now; `None` where it has no group.
    pub fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the pointer is the native client of `consumer`, which is borrowed and so alive
        // during the call. The call may come from any thread. It returns null or an object that the
        // caller owns.
        let native = unsafe { rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        let metadata = Metadata(NonNull::new(native)?);
        let native = metadata.0.as_ptr().cast_const();
        // SAFETY, for all four: `native` is not null and was not destroyed, because `metadata` owns
        // it until the end of this function; each only reads one of its fields.
        let generation = unsafe { rd_kafka_consumer_group_metadata_generation_id(native) };
        let group = unsafe { rd_kafka_consumer_group_metadata_group_id(native) };
        let member_id = unsafe { rd_kafka_consumer_group_metadata_member_id(native) };
        let instance = unsafe { rd_kafka_consumer_group_metadata_group_instance_id(native) };
        // SAFETY: each is null or a C string that belongs to `metadata`, which outlives the copies
        // made here.
        let [group, member_id, group_instance_id] =
            unsafe { [text(group), text(member_id), text(instance)] };
        Some(Self {
            group: group?,
            generation,
            member_id: member_id.unwrap_or_default(),
            group_instance_id,
        })
    }
}

/// The native object, which is destroyed with it.
struct Metadata(NonNull<rd_kafka_consumer_group_metadata_t>);

impl Drop for Metadata {
    fn drop(&mut self) {
        // SAFETY: the object came from `rd_kafka_consumer_group_metadata`, nobody else owns it, and
        // this runs once.
        unsafe { rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) };
    }
}

/// A copy of a C string; `None` for null, and for what is no UTF-8, which no broker gives out.
///
/// # Safety
/// `native` has to be null or a C string that lives during the call.
unsafe fn text(native: *const c_char) -> Option<String> {
    if native.is_null() {
        return None;
    }
    // SAFETY: it is not null, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(native) };
    text.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::DefaultConsumerContext;

    use super::*;
    use crate::ClientSettings;

    fn consumer(properties: &[(&str, &str)]) -> BaseConsumer<DefaultConsumerContext> {
        // Nothing listens there: what a consumer knows of itself takes no broker.
        let mut config = ClientSettings::new("127.0.0.1:9").consumer_config("a group", "test");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        config.create_with_context(DefaultConsumerContext).unwrap()
    }

    #[test]
    fn a_consumer_that_is_no_member_yet_has_a_group_and_no_generation() {
        let found = GroupMembership::of(&consumer(&[])).unwrap();
        let expected = GroupMembership {
            group: "a group".into(),
            generation: -1,
            member_id: String::new(),
            group_instance_id: None,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_static_member_has_its_name() {
        let found = GroupMembership::of(&consumer(&[("group.instance.id", "one")])).unwrap();
        assert_eq!(found.group_instance_id.as_deref(), Some("one"));
    }

    #[test]
    fn asking_often_frees_what_was_given() {
        let consumer = consumer(&[]);
        for _ in 0..10_000 {
            assert!(GroupMembership::of(&consumer).is_some());
        }
    }
}
