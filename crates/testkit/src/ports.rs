use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range Linux gives to outgoing connections (32768 and up), so that the port of a
/// killed broker is still free when it comes back.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A loopback port nobody listens on, different on every call of this process.
///
/// # Panics
///
/// When no port of the range is free.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of `n` neighbouring loopback ports nobody listens on.
pub(crate) fn free_ports(n: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes run at the same time: each starts somewhere else.
    let start = std::process::id().wrapping_mul(97) % u32::from(COUNT);
    let start = u16::try_from(start).expect("below COUNT");
    for _ in 0..COUNT / n {
        let step = NEXT.fetch_add(n, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if (port..port + n).all(is_free) {
            return port;
        }
    }
    panic!("no {n} free ports from {FIRST} on");
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_give_two_ports() {
        assert_ne!(free_port(), free_port());
    }

    #[test]
    fn a_port_in_use_is_not_free() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
