//! A small server whose connections can be detached, in the place of the real one.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_codec::{AsyncRead, AsyncWrite, ReadBuf};
use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, Protocol};
use actix_server::ServerHandle;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use fanout::{Detach, Fanout};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A connection: the dispatcher's until a head is flushed, then the session's.
struct Shared {
    io: Option<TcpStream>,
    wanted: Option<oneshot::Sender<TcpStream>>,
    wrote: bool,
    flushed: bool,
}

struct Conn(Rc<RefCell<Shared>>);

#[derive(Clone)]
struct Handle(Rc<RefCell<Shared>>);

impl Detach for Handle {
    type Io = TcpStream;

    fn detach(&self) -> Pin<Box<dyn Future<Output = Option<TcpStream>>>> {
        let (tx, rx) = oneshot::channel();
        let mut shared = self.0.borrow_mut();
        shared.wanted = Some(tx);
        shared.wrote = false;
        Box::pin(async { rx.await.ok() })
    }

    fn is_ready(&self) -> bool {
        self.0.borrow().flushed
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        if shared.flushed {
            return Poll::Ready(Ok(()));
        }
        Pin::new(shared.io.as_mut().unwrap()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut shared = self.0.borrow_mut();
        shared.wrote |= shared.wanted.is_some();
        Pin::new(shared.io.as_mut().unwrap()).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        let result = Pin::new(shared.io.as_mut().unwrap()).poll_flush(cx);
        if shared.wrote && result.is_ready() && !shared.flushed {
            shared.flushed = true;
            cx.waker().wake_by_ref();
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        if shared.flushed {
            return Poll::Ready(Ok(()));
        }
        Pin::new(shared.io.as_mut().unwrap()).poll_shutdown(cx)
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        let mut shared = self.0.borrow_mut();
        if shared.flushed
            && let (Some(wanted), Some(io)) = (shared.wanted.take(), shared.io.take())
        {
            let _ = wanted.send(io);
        }
    }
}

/// A running server; dropped, it stops.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    handle: ServerHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Serves `fanout` on a loopback port of its own. Without `detachable`, as a server would
/// whose connections cannot be given away.
pub(crate) fn start(fanout: Fanout, detachable: bool) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let (tx, rx) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let server = actix_server::Server::build()
                .workers(1)
                .disable_signals()
                .listen("test", listener, move || {
                    service(fanout.clone(), detachable)
                })
                .unwrap()
                .run();
            tx.send(server.handle()).unwrap();
            server.await
        })
    });
    Server {
        addr,
        handle: rx.recv().unwrap(),
    }
}

fn service(
    fanout: Fanout,
    detachable: bool,
) -> impl actix_service::ServiceFactory<TcpStream, Config = (), InitError = (), Response = ()> {
    fn_service(|io: TcpStream| async {
        let peer = io.peer_addr().ok();
        let shared = Shared {
            io: Some(io),
            wanted: None,
            wrote: false,
            flushed: false,
        };
        Ok::<_, DispatchError>((Conn(Rc::new(RefCell::new(shared))), Protocol::Http1, peer))
    })
    .and_then(
        HttpService::build()
            .client_disconnect_timeout(Duration::from_secs(1))
            .on_connect_ext(move |io: &Conn, extensions: &mut Extensions| {
                if detachable {
                    extensions.insert(Handle(io.0.clone()));
                }
            })
            .finish(map_config(
                App::new()
                    .configure(move |cfg| fanout::configure::<Handle>(cfg, fanout.clone()))
                    .into_factory(),
                |_| AppConfig::default(),
            )),
    )
}
