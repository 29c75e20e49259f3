//! The sockets and the threads behind them.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::ListenError;
use daemon::stop::Stop;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::announce::{AnnounceSockets, announce};
use super::connections::Connections;
use super::counters::DnsCounters;
use super::encrypted::Encrypted;
use super::query_log::Sampler;
use super::service::Service;
use super::tcp;
use super::udp::Worker;

/// Open sockets, not read yet.
#[derive(Debug, Default)]
pub struct Sockets {
    udp: Vec<UdpSocket>,
    tcp: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    /// Those for encrypted connections, if there are any.
    pub(super) encrypted: Option<Encrypted>,
}

/// Threads that answer. Dropping it stops them.
pub struct Server {
    stop: Option<Stop>,
    stop_tcp: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    pulses: Vec<Arc<AtomicU64>>,
}

impl Sockets {
    /// Opens `workers` UDP sockets and a TCP listener on each address. Port 0 becomes one free port, the
    /// same for both.
    ///
    /// # Errors
    /// The address that cannot be listened on, and why.
    pub fn open(addresses: &[SocketAddr], workers: usize) -> Result<Sockets, ListenError> {
        let mut sockets = Sockets::default();
        for address in addresses {
            sockets.add(*address, workers)?;
        }
        Ok(sockets)
    }

    /// Opens the sockets of one more address.
    pub(super) fn add(&mut self, address: SocketAddr, workers: usize) -> Result<(), ListenError> {
        let tcp = daemon::tcp::listen(address)?;
        let address = tcp.local_addr().unwrap_or(address);
        self.udp.extend(daemon::udp::bind_group(&daemon::udp::Options::new(address), workers)?);
        self.tcp.push(tcp);
        self.addresses.push(address);
        Ok(())
    }

    /// The addresses listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Server {
    /// Starts the threads. `watchdog`: how often [`Server::is_alive`] will be asked.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(
        sockets: Sockets,
        service: &Arc<Service>,
        counters: &DnsCounters,
        watchdog: Option<Duration>,
    ) -> io::Result<Server> {
        let stop = Stop::new()?;
        let (stop_tcp, stopped) = watch::channel(false);
        let mut server = Server {
            stop: None,
            stop_tcp,
            stopping: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            pulses: Vec::new(),
        };
        for (number, socket) in sockets.udp.into_iter().enumerate() {
            let pulse = Arc::new(AtomicU64::new(0));
            let worker = Worker {
                socket: Arc::new(socket),
                service: Arc::clone(service),
                tally: counters.worker(),
                sampler: Sampler::default(),
                stop: stop.token(),
                stopping: Arc::clone(&server.stopping),
                pulse: Arc::clone(&pulse),
                pulse_interval: watchdog.map(|interval| interval / 4),
            };
            server.pulses.push(pulse);
            server.spawn(format!("udp-{number}"), move || worker.run())?;
        }
        let connections = Connections::new(Arc::clone(service), counters.connections());
        let announcing =
            announce(Arc::clone(service), AnnounceSockets::open(&sockets.addresses), stopped.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        server.spawn("tcp".to_owned(), move || {
            runtime.block_on(async move {
                let mut serving = JoinSet::new();
                for listener in sockets.tcp {
                    serving.spawn(tcp::serve(listener, Arc::clone(&connections), stopped.clone()));
                }
                if let Some(encrypted) = sockets.encrypted {
                    serving.spawn(encrypted.serve(connections, stopped));
                }
                tokio::join!(async { while serving.join_next().await.is_some() {} }, announcing);
            });
        })?;
        server.stop = Some(stop);
        Ok(server)
    }

    /// A question that says whether every UDP worker went on since it was asked last.
    pub fn is_alive(&self) -> impl Fn() -> bool + use<> {
        let pulses = self.pulses.clone();
        let seen: Vec<AtomicU64> = pulses.iter().map(|_| AtomicU64::new(u64::MAX)).collect();
        move || {
            let went_on = |(pulse, seen): (&Arc<AtomicU64>, &AtomicU64)| {
                let now = pulse.load(Ordering::Relaxed);
                seen.swap(now, Ordering::Relaxed) != now
            };
            // All are asked: each remembers what it saw.
            pulses.iter().zip(&seen).filter(|pair| !went_on(*pair)).count() == 0
        }
    }

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.stop.take());
        // Fails if the thread has ended already.
        let _ = self.stop_tcp.send(true);
        for thread in self.threads.drain(..) {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
