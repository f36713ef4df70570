//! `RequestMetrics`: counts the requests of one `App`.

/// A completed request. No value is chosen by a client, so all of them are safe as labels.
#[derive(Clone, Copy, Debug)]
pub struct CompletedRequest<'a> {
    /// The pattern of the route; `unmatched` for all unknown paths.
    pub route: &'a str,
    /// The method; `other` for all unknown methods.
    pub method: &'a str,
    /// The status code of the response.
    pub status: u16,
    /// How long the response took, in seconds.
    pub seconds: f64,
}

/// Counts requests. It never blocks.
pub trait RequestMetrics: Send + Sync {
    /// Counts a completed request.
    fn completed(&self, request: &CompletedRequest<'_>);

    /// Counts a request with forwarding headers from an untrusted address.
    fn untrusted_forwarded(&self);
}

/// Discards all counts.
pub(crate) struct NoRequestMetrics;

impl RequestMetrics for NoRequestMetrics {
    fn completed(&self, _: &CompletedRequest<'_>) {}

    fn untrusted_forwarded(&self) {}
}
