//! The body of a request, as far as anybody looks at it.

use std::future::poll_fn;
use std::pin::Pin;

use hyper::body::{Body, Incoming};

use crate::boot::host_keys::BODY_OCTETS_MAX;

/// The body, or its first [`BODY_OCTETS_MAX`] octets. Sets no limit to the time that it takes.
///
/// # Errors
/// It broke off.
pub(super) async fn read(body: &mut Incoming) -> hyper::Result<Vec<u8>> {
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = BODY_OCTETS_MAX.saturating_sub(octets.len());
        octets.extend_from_slice(data.get(..room).unwrap_or(&data));
        if octets.len() >= BODY_OCTETS_MAX {
            break;
        }
    }
    Ok(octets)
}
