//! Servers of hyper over loopback TCP, with clients over HTTP/1.1 and HTTP/2.

mod http2;
mod hyper;
mod support;
