//! The receiver over real sockets: raw HTTP/1.1 or gRPC in, recorded exports and raw answers out.

#[cfg(test)]
mod client;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod grpc_limits;
#[cfg(test)]
mod grpc_server;
#[cfg(test)]
mod head;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod recorder;
#[cfg(test)]
mod server;
#[cfg(test)]
mod vectors;
