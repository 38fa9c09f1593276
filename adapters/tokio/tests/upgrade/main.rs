//! Servers of hyper and axum over loopback TCP, with clients over HTTP/1.1 and HTTP/2.

mod axum;
mod http2;
mod hyper;
mod support;
