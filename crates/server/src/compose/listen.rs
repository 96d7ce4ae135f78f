//! The addresses that the relay listens on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use crate::StartError;

/// Connections that the system may hold ready for us.
const BACKLOG: i32 = 1024;

/// The congestion control of connections over loopback, which every Linux has. Where the system's
/// own paces, as BBR does, it sets timers between segments, and there is no network to spare.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOCAL_CONGESTION: &[u8] = b"reno";

/// A bound address, and what listens there.
pub(super) type Bound = (SocketAddr, TcpListener);

/// Binds all of `addresses`, which `setting` has chosen. Those that can't be bound go to `errors`.
pub(super) fn bind_all(
    addresses: &[SocketAddr],
    setting: &'static str,
    errors: &mut Vec<StartError>,
) -> Vec<Bound> {
    let mut listeners = Vec::new();
    for address in addresses {
        match bind(*address).and_then(|socket| Ok((socket.local_addr()?, socket))) {
            Ok(bound) => listeners.push(bound),
            Err(source) => errors.push(StartError::Bind {
                address: *address,
                setting,
                source,
            }),
        }
    }
    listeners
}

/// A listener that waits in the reactor of the server. An address may be bound again while old
/// connections to it linger; `[::]` takes IPv6 alone, so that `0.0.0.0` can stand beside it.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this option lets others take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if address.ip().is_loopback() {
        // Where it is not allowed, the system's own does.
        let _ = socket.set_tcp_congestion(LOCAL_CONGESTION);
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;

    use socket2::SockRef;

    use super::*;

    /// Scenario: a connection to a listener on loopback.
    /// Guarantees: what is accepted has the congestion control that doesn't pace, if this system
    /// lets anybody choose it.
    #[test]
    fn loopback_is_not_paced() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let may = SockRef::from(&client)
            .set_tcp_congestion(LOCAL_CONGESTION)
            .is_ok();
        let (accepted, _) = listener.accept().unwrap();
        let control = SockRef::from(&accepted).tcp_congestion().unwrap();
        assert!(!may || control.starts_with(LOCAL_CONGESTION), "{control:?}");
    }
}
