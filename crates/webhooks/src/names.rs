//! What names lead to, as far as it may be reached.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use weir_core::network::is_public;

/// Addresses being looked up.
pub type LookingUp = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// Where names are looked up.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, name: &str) -> LookingUp;
}

/// As this machine does.
pub struct SystemNames;

impl Lookup for SystemNames {
    fn lookup(&self, name: &str) -> LookingUp {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// A name leads nowhere that may be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameError {
    /// It leads nowhere.
    #[error("the name leads to no address")]
    Nowhere,
    /// It leads into a private network.
    #[error("the name leads to {0}, on this machine or in a private network, which the endpoint does not allow")]
    Private(IpAddr),
}

/// Hands out only addresses that may be reached. The connection goes to one of these, so a name that leads elsewhere a moment later
/// gains nothing.
pub(crate) struct Guard {
    names: Arc<dyn Lookup>,
    allow_private: bool,
}

impl Guard {
    pub(crate) fn new(names: Arc<dyn Lookup>, allow_private: bool) -> Self {
        Guard { names, allow_private }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (looking_up, allow_private) = (self.names.lookup(name.as_str()), self.allow_private);
        Box::pin(async move {
            let found = looking_up.await?;
            // One private address among public ones is refused as well: which one is taken would be chance.
            if let Some(private) = found.iter().find(|address| !allow_private && !is_public(**address)) {
                return Err(NameError::Private(*private).into());
            }
            if found.is_empty() {
                return Err(NameError::Nowhere.into());
            }
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Leads somewhere else each time it is asked.
    struct Changing(Mutex<Vec<Vec<&'static str>>>);

    impl Lookup for Changing {
        fn lookup(&self, _: &str) -> LookingUp {
            let found = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(found.iter().map(|address| address.parse().unwrap()).collect()) })
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_leads_to_now_and_exactly_that_is_handed_out() {
        let answers =
            || vec![vec!["1.1.1.1", "2606:4700::1111"], vec!["127.0.0.1"], vec!["1.1.1.1"], vec!["1.1.1.1", "::1"]];
        let guard = |allow_private| Guard::new(Arc::new(Changing(Mutex::new(answers()))), allow_private);
        let addresses = async |guard: &Guard| {
            let found = guard.resolve("hooks.example.com".parse().unwrap()).await;
            found.ok().map(|found| found.map(|address| address.ip().to_string()).collect::<Vec<_>>())
        };
        let (public, anywhere) = (guard(false), guard(true));
        for (n, answer) in answers().into_iter().enumerate() {
            let expected = Some(answer.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(addresses(&anywhere).await, expected);
            assert_eq!(addresses(&public).await, expected.filter(|_| n % 2 == 0));
        }
    }
}
