//! Names of hosts, looked up on a thread of its own: the system sets no bound to it.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::patience::{Over, Patience};

/// How often a waiting look-up looks whether it is over.
const SLICE: Duration = Duration::from_millis(50);

/// Looks up names, at most one at a time of each. Whoever gives up leaves a thread behind, and whoever
/// asks for the same name again waits for that one.
pub(crate) struct Resolver {
    under_way: Mutex<BTreeMap<String, Arc<Lookup>>>,
    look_up: fn(&str) -> io::Result<Vec<IpAddr>>,
}

/// Why there is no address.
#[derive(Debug)]
pub(crate) enum ResolveError {
    /// There is none, or nobody knows.
    Failed(io::Error),
    /// It takes too long.
    Late,
    /// There is no more time.
    Over(Over),
}

/// What a look-up came to. Whoever waits gets an error of its own made from it.
type Found = Result<Vec<IpAddr>, (io::ErrorKind, String)>;

#[derive(Default)]
struct Lookup {
    found: Mutex<Option<Found>>,
    changed: Condvar,
}

/// The one of this process.
pub(crate) static RESOLVER: Resolver = Resolver::new(ask_the_system);

impl Resolver {
    const fn new(look_up: fn(&str) -> io::Result<Vec<IpAddr>>) -> Self {
        Self { under_way: Mutex::new(BTreeMap::new()), look_up }
    }

    /// The addresses of a host, in the order to try them.
    pub(crate) fn resolve(
        &'static self,
        host: &str,
        port: u16,
        deadline: Instant,
        patience: &Patience<'_>,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let lookup = self.look_up(host).map_err(ResolveError::Failed)?;
        let mut found = lock(&lookup.found);
        loop {
            match &*found {
                Some(Ok(addresses)) => {
                    let with_port = addresses.iter().map(|one| SocketAddr::new(*one, port));
                    return Ok(with_port.collect());
                }
                Some(Err((kind, said))) => {
                    return Err(ResolveError::Failed(io::Error::new(*kind, said.clone())));
                }
                None => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ResolveError::Late);
            }
            let waited = lookup.changed.wait_timeout(found, left.min(SLICE));
            found = waited.unwrap_or_else(PoisonError::into_inner).0;
            patience.check().map_err(ResolveError::Over)?;
        }
    }

    /// The look-up of this name that is under way, or a new one.
    fn look_up(&'static self, host: &str) -> io::Result<Arc<Lookup>> {
        let mut under_way = lock(&self.under_way);
        if let Some(lookup) = under_way.get(host) {
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup::default());
        let (name, answered) = (host.to_owned(), Arc::clone(&lookup));
        std::thread::Builder::new().name("resolve".to_owned()).spawn(move || {
            let found = (self.look_up)(&name);
            // Gone first, so that whoever asks after the answer gets a new one.
            lock(&self.under_way).remove(&name);
            let found = found.map_err(|error| (error.kind(), error.to_string()));
            *lock(&answered.found) = Some(found);
            answered.changed.notify_all();
        })?;
        under_way.insert(host.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }
}

fn ask_the_system(host: &str) -> io::Result<Vec<IpAddr>> {
    let addresses = (host, 0).to_socket_addrs()?;
    Ok(addresses.map(|address| address.ip()).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NEVER: &dyn Fn(Duration) -> bool = &|_| false;

    #[test]
    fn an_address_needs_no_look_up() {
        static RESOLVER: Resolver = Resolver::new(|_| panic!("nobody is asked"));
        let patience = Patience::endless(NEVER);
        let found = RESOLVER.resolve("::1", 9092, Instant::now(), &patience).unwrap();
        assert_eq!(found, ["[::1]:9092".parse().unwrap()]);
    }

    #[test]
    fn a_name_that_nobody_answers_for_is_given_up_and_takes_one_thread_however_often_it_is_asked_for()
     {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        static ANSWER: Mutex<()> = Mutex::new(());
        static RESOLVER: Resolver = Resolver::new(|_| {
            STARTED.fetch_add(1, Ordering::SeqCst);
            drop(lock(&ANSWER));
            Ok(vec![IpAddr::from([127, 0, 0, 1])])
        });
        let patience = Patience::endless(NEVER);
        let unanswered = lock(&ANSWER);
        for _ in 0..20 {
            let soon = Instant::now() + Duration::from_millis(5);
            let gone = RESOLVER.resolve("slow", 1, soon, &patience);
            assert!(matches!(gone, Err(ResolveError::Late)), "{gone:?}");
        }
        drop(unanswered);
        let later = Instant::now() + Duration::from_secs(60);
        let found = RESOLVER.resolve("slow", 7, later, &patience).unwrap();
        assert_eq!(found, ["127.0.0.1:7".parse().unwrap()]);
        assert!(STARTED.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn one_told_to_stop_waits_no_longer() {
        static ANSWER: Mutex<()> = Mutex::new(());
        static RESOLVER: Resolver = Resolver::new(|_| {
            drop(lock(&ANSWER));
            Ok(Vec::new())
        });
        let _unanswered = lock(&ANSWER);
        let stopped = Patience::endless(&|_| true);
        let later = Instant::now() + Duration::from_secs(600);
        let gone = RESOLVER.resolve("slow", 1, later, &stopped);
        assert!(matches!(gone, Err(ResolveError::Over(Over::Stopped))), "{gone:?}");
    }

    #[test]
    fn a_name_that_is_none_is_said_to_be_none() {
        let patience = Patience::endless(NEVER);
        let later = Instant::now() + Duration::from_secs(60);
        let none = RESOLVER.resolve("no-such-host.invalid", 1, later, &patience);
        assert!(matches!(none, Err(ResolveError::Failed(_))), "{none:?}");
    }
}
