/// The W3C trace context of one event, passed on unchanged.
///
/// What is not well formed is left out: a trace is a help, never a reason to refuse an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace<'a> {
    parent: Option<&'a [u8]>,
    state: Option<&'a [u8]>,
}

impl<'a> Trace<'a> {
    /// No trace.
    pub const NONE: Self = Self { parent: None, state: None };

    /// The longest `tracestate` that is passed on, in bytes. A longer one loses members at its end.
    pub const STATE_BYTES_MAX: usize = 512;

    /// Finds the trace context in a record's headers.
    pub fn of(headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let mut trace = Self::NONE;
        for (name, value) in headers {
            match name {
                "traceparent" => trace.parent = value.filter(|value| is_parent(value)),
                "tracestate" => trace.state = value.and_then(shortened),
                _ => {}
            }
        }
        // A state belongs to its parent and says nothing without it.
        if trace.parent.is_none() {
            trace.state = None;
        }
        trace
    }

    /// Whether its origin asked for it to be recorded.
    pub fn is_sampled(&self) -> bool {
        self.parent.and_then(|parent| hex(*parent.get(54)?)).is_some_and(|flags| flags & 1 == 1)
    }

    /// `traceparent`, as it came.
    pub const fn parent(&self) -> Option<&'a [u8]> {
        self.parent
    }

    /// `tracestate`, as it came or shortened.
    pub const fn state(&self) -> Option<&'a [u8]> {
        self.state
    }

    /// The headers that pass it on.
    pub fn headers(self) -> impl Iterator<Item = (&'static str, &'a [u8])> {
        let parent = self.parent.map(|value| ("traceparent", value));
        let state = self.state.map(|value| ("tracestate", value));
        parent.into_iter().chain(state)
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, neither id zero; a later version may go on after a dash.
fn is_parent(value: &[u8]) -> bool {
    let Some((known, more)) = value.split_at_checked(55) else { return false };
    let (version, trace_id, span_id, flags) =
        (&known[0..2], &known[3..35], &known[36..52], &known[53..55]);
    let dashes = [known[2], known[35], known[52]] == *b"---";
    let hexadecimal = [version, trace_id, span_id, flags]
        .into_iter()
        .all(|part| part.iter().all(|byte| hex(*byte).is_some()));
    let zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
    let length = match version {
        b"00" => more.is_empty(),
        b"ff" => false,
        _ => more.is_empty() || more.starts_with(b"-"),
    };
    dashes && hexadecimal && length && !zero(trace_id) && !zero(span_id)
}

/// As many whole members of a `tracestate` as are passed on.
fn shortened(state: &[u8]) -> Option<&[u8]> {
    if !state.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return None;
    }
    let end = if state.len() <= Trace::STATE_BYTES_MAX {
        state.len()
    } else {
        state[..=Trace::STATE_BYTES_MAX].iter().rposition(|byte| *byte == b',')?
    };
    (end > 0).then(|| &state[..end])
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
