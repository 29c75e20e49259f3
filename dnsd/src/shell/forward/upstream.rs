//! The servers that names are looked up at, and what they said lately.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Edns, Message};
use hickory_resolver::{NameServerPool, PoolContext, ResponseCache, TlsConfig, TtlConfig};

use super::Forwarded;
use super::reply::{Asked, message_of};
use crate::core::UDP_PAYLOAD;
use crate::shell::status::lock;

/// Answers that are remembered of each set of servers, for each of the ways to ask.
const REMEMBERED: u64 = 8192;
/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long one that did not answer is asked after the others.
const GRUDGE: Duration = Duration::from_secs(30);
/// Sets of servers that are remembered.
const SETS_MAX: usize = 64;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// None came in time.
    TimedOut,
    /// What came is none.
    Failed,
}

impl Failure {
    pub(super) fn counted(self) -> Forwarded {
        match self {
            Failure::TimedOut => Forwarded::TimedOut,
            Failure::Failed => Forwarded::Failed,
        }
    }
}

/// All sets of servers that are asked.
#[derive(Default)]
pub(super) struct Upstreams(Mutex<HashMap<Arc<[SocketAddr]>, Arc<Upstream>>>);

/// One set of servers.
struct Upstream {
    servers: Vec<Server>,
    /// By whether signatures are wanted, and whether they are to be checked.
    caches: [ResponseCache; 4],
}

/// One server. A pool of several would wait for all that it has asked before it asks one again by TCP.
struct Server {
    pool: NameServerPool<TokioRuntimeProvider>,
    /// When it did not answer for the last time.
    failed: Mutex<Option<Instant>>,
}

impl Upstreams {
    /// What `servers` answer, and whether that was remembered.
    pub(super) async fn ask(
        &self,
        servers: &Arc<[SocketAddr]>,
        asked: &Asked,
    ) -> Result<(Message, bool), Failure> {
        self.of(servers)?.ask(asked).await
    }

    fn of(&self, servers: &Arc<[SocketAddr]>) -> Result<Arc<Upstream>, Failure> {
        let mut sets = lock(&self.0);
        if let Some(known) = sets.get(servers) {
            return Ok(Arc::clone(known));
        }
        if sets.len() >= SETS_MAX {
            // The inventory was edited often: all are made anew as they are needed.
            sets.clear();
        }
        let upstream = Arc::new(Upstream::new(servers)?);
        sets.insert(Arc::clone(servers), Arc::clone(&upstream));
        Ok(upstream)
    }
}

impl Upstream {
    fn new(servers: &[SocketAddr]) -> Result<Upstream, Failure> {
        let mut options = ResolverOpts::default();
        options.timeout = PATIENCE;
        options.max_active_requests = super::AT_ONCE;
        options.case_randomization = true;
        let cache = || ResponseCache::new(REMEMBERED, TtlConfig::from_opts(&options));
        let caches = [cache(), cache(), cache(), cache()];
        let tls = TlsConfig::new().map_err(|_| Failure::Failed)?;
        let context = Arc::new(PoolContext::new(options, tls));
        let server = |server: &SocketAddr| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            config.connections.iter_mut().for_each(|connection| connection.port = server.port());
            let pool =
                NameServerPool::from_config([config], Arc::clone(&context), TokioRuntimeProvider::default());
            Server { pool, failed: Mutex::default() }
        };
        Ok(Upstream { servers: servers.iter().map(server).collect(), caches })
    }

    async fn ask(&self, asked: &Asked) -> Result<(Message, bool), Failure> {
        let place = usize::from(asked.dnssec_ok()) | usize::from(asked.checking_disabled()) << 1;
        let cache = self.caches.get(place).ok_or(Failure::Failed)?;
        if let Some(remembered) = cache.get(asked.query(), Instant::now()) {
            return message_of(remembered).map(|message| (message, true));
        }
        let mut last = Failure::TimedOut;
        for server in self.in_order() {
            let (response, read) = server.ask(asked).await;
            match read {
                Ok(message) => {
                    cache.insert(asked.query().clone(), response, Instant::now());
                    return Ok((message, false));
                }
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// The servers as they are written, but for those that did not answer lately.
    fn in_order(&self) -> Vec<&Server> {
        let is_shunned = |server: &&Server| lock(&server.failed).is_some_and(|at| at.elapsed() < GRUDGE);
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        servers.sort_by_key(is_shunned);
        servers
    }
}

impl Server {
    /// What it says, and that as a message.
    async fn ask(&self, asked: &Asked) -> (Result<Message, NetError>, Result<Message, Failure>) {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = asked.checking_disabled();
        message.add_query(asked.query().clone());
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD).set_version(0).set_dnssec_ok(asked.dnssec_ok());
        message.set_edns(edns);
        let mut options = DnsRequestOptions::default();
        options.edns_set_dnssec_ok = asked.dnssec_ok();
        options.case_randomization = true;
        let request = DnsRequest::new(message, options);
        let response = self.pool.send(request).first_answer().await.map(DnsResponse::into_message);
        let read = message_of(response.clone());
        *lock(&self.failed) = matches!(read, Err(Failure::TimedOut)).then(Instant::now);
        (response, read)
    }
}
