//! A proxy that makes a network out of loopback: slow, or gone without a word.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::PATIENCE;

/// How much is passed on in one go.
const PIECE: usize = 256;

/// Passes connections on to a relay.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    link: Arc<Link>,
}

/// What passes.
struct Link {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// All, at once.
    Open,
    /// So many bytes a second, each way.
    Slow(u32),
    /// Nothing, neither bytes nor ends.
    Cut,
}

impl Proxy {
    /// One before `relay`, that passes everything on.
    pub(crate) fn before(relay: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Arc::new(Link {
            state: Mutex::new(State::Open),
            changed: Condvar::new(),
        });
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            link: Arc::clone(&link),
        };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = connect(relay);
                SockRef::from(&client).set_send_buffer_size(4096).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let links = [Arc::clone(&link), Arc::clone(&link)];
                for ((from, to), link) in [(client, server), back].into_iter().zip(links) {
                    thread::spawn(move || link.pass(from, to));
                }
            }
        });
        proxy
    }

    /// From now on so many bytes a second pass each way.
    pub(crate) fn slow_down(&self, bytes_per_second: u32) {
        self.link.set(State::Slow(bytes_per_second));
    }

    /// From now on everything passes.
    pub(crate) fn open(&self) {
        self.link.set(State::Open);
    }

    /// From now on nothing passes, and nobody is told.
    pub(crate) fn cut(&self) {
        self.link.set(State::Cut);
    }
}

/// Connects, over a socket that can't hold much unread.
fn connect(relay: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(relay), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect_timeout(&relay.into(), PATIENCE).unwrap();
    socket.into()
}

impl Link {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    /// Passes bytes on until one side ends, and then the end.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; PIECE];
        loop {
            let read = from.read(&mut piece).unwrap_or(0);
            self.wait(read);
            if read == 0 || to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        // Whoever is gone already need not be told.
        drop(to.shutdown(std::net::Shutdown::Both));
        drop(from.shutdown(std::net::Shutdown::Both));
    }

    /// Waits until so many bytes may pass.
    fn wait(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap();
        loop {
            let before = *state;
            state = match before {
                State::Open => return,
                State::Cut => self.changed.wait(state).unwrap(),
                State::Slow(rate) => {
                    let time = Duration::from_secs_f64(bytes as f64 / f64::from(rate));
                    let (state, waited) = self.changed.wait_timeout(state, time).unwrap();
                    if waited.timed_out() && *state == before {
                        return;
                    }
                    state
                }
            };
        }
    }
}
