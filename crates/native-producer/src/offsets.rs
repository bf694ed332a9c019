/// The next offsets of the input, and the member of a group that read it.
#[derive(Clone, Copy, Debug)]
pub struct Offsets<'a> {
    /// The consumer group.
    pub group: &'a str,
    /// The generation, or the member epoch, that the member was last told.
    pub generation: i32,
    /// Which member.
    pub member_id: &'a str,
    /// Its name, where it is a static member.
    pub group_instance_id: Option<&'a str>,
    /// One past the last record answered, of each partition.
    pub positions: &'a [NextPosition<'a>],
}

/// Where one partition's reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPosition<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// One past the last record answered.
    pub offset: i64,
}
