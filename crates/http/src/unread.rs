//! `Unread`: keeps a chunked request body alive until the response is sent.
//!
//! Once a handler drops a body that was not read to its end, actix-http reads until the last chunk,
//! for as long as the client sends. While the body is still alive, actix-http closes the connection
//! after the response instead.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::{Stream, StreamExt};

/// A request body, shared with the handler that reads it.
#[derive(Clone)]
pub(crate) struct Unread(Rc<RefCell<Payload>>);

impl Unread {
    /// Keeps the body of a request alive if it is chunked.
    pub(crate) fn hold(request: &mut ServiceRequest) -> Option<Self> {
        request.headers().contains_key(TRANSFER_ENCODING).then(|| {
            let unread = Self(Rc::new(RefCell::new(request.take_payload())));
            request.set_payload(Payload::Stream { payload: Box::pin(unread.clone()) });
            unread
        })
    }

    /// Keeps the body alive until the response is sent.
    pub(crate) fn until_sent(self, response: HttpResponse) -> HttpResponse {
        response.map_body(|_, body| BoxBody::new(Response { body, _unread: self }))
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(context)
    }
}

/// The body of a response, with that of its request.
struct Response {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Response {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
