use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message as _;

/// A receiver of spans: OTLP over HTTP with protobuf, as a collector has it.
#[derive(Debug)]
pub struct SpanReceiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedSpan>>>,
}

/// A span as it arrived, its ids in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSpan {
    /// `service.name` of its resource.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The trace it belongs to.
    pub trace_id: String,
    /// Its id.
    pub span_id: String,
    /// The id of its parent; empty where it has none.
    pub parent_span_id: String,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span of each link.
    pub links: Vec<(String, String)>,
    /// Whether it tells of an error.
    pub is_error: bool,
    /// How long it took, in nanoseconds.
    pub took_ns: u64,
}

impl SpanReceiver {
    /// Receives at a free port of the loopback until the process ends.
    ///
    /// # Panics
    /// Where there is no port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let received = Arc::default();
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let received = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &received));
            }
        });
        Self { address, received }
    }

    /// Where it is to be reached: an endpoint without a path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans received so far.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers requests until the other side has no more.
fn serve(stream: &TcpStream, received: &Mutex<Vec<ReceivedSpan>>) {
    const ANSWER: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    let mut reader = BufReader::new(stream);
    while let Some(body) = request(&mut reader) {
        let request = ExportTraceServiceRequest::decode(&*body).expect("a request is protobuf");
        let spans = request.resource_spans.into_iter().flat_map(|of_resource| {
            let resource = attributes(of_resource.resource.unwrap_or_default().attributes);
            let service = resource.get("service.name").cloned().unwrap_or_default();
            let of_scopes = of_resource.scope_spans.into_iter();
            of_scopes.flat_map(|scope| scope.spans).map(move |span| read(span, service.clone()))
        });
        received.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        let mut writer = stream;
        if writer.write_all(ANSWER.as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of the next request.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<Vec<u8>> {
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.trim_end().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(given) = lower.strip_prefix("content-length:") {
            length = given.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn read(span: Span, service: String) -> ReceivedSpan {
    let links = span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id)));
    ReceivedSpan {
        service,
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_span_id: hex(&span.parent_span_id),
        links: links.collect(),
        is_error: span.status.is_some_and(|status| status.code() == StatusCode::Error),
        took_ns: span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano),
        attributes: attributes(span.attributes),
        name: span.name,
    }
}

fn attributes(given: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    given.into_iter().map(|one| (one.key, text(one.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
