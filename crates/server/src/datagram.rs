//! The driver of a UDP socket: each datagram is a call; answers leave from the address that was asked.

use std::sync::Arc;

use netinfo_wire::rpc::parse_call;

use crate::frontend::{self, Caller, Context, Port, Step, Transport};
use crate::limits::{LATER_DATAGRAMS, MAX_UDP_DATAGRAM};
use crate::node::Running;
use crate::udp::UdpPort;

/// Serves a socket until the daemon stops or the task is aborted.
pub(crate) async fn run(node: Arc<Running>, socket: Arc<UdpPort>, port: Port) {
    let mut buffer = vec![0; MAX_UDP_DATAGRAM];
    let mut out = Vec::with_capacity(MAX_UDP_DATAGRAM);
    let later = Arc::new(tokio::sync::Semaphore::new(LATER_DATAGRAMS));
    loop {
        let received = match socket.recv(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "UDP receive failed");
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                continue;
            }
        };
        if received.truncated {
            continue;
        }
        out.clear();
        let caller = Caller {
            origin: node.origin(received.peer),
            transport: Transport::Udp,
            peer: Some(received.peer),
            local: Some(received.local.ip),
        };
        let mut context = Context::new(0, caller, port.clone());
        match frontend::handle(&node, &mut context, &parse_call(&buffer[..received.len]), &mut out) {
            Step::Done if out.is_empty() || out.len() > MAX_UDP_DATAGRAM => {}
            Step::Done => {
                if let Err(error) = socket.send_from(&out, received.peer, received.local).await {
                    tracing::debug!(%error, peer = %received.peer, "UDP reply not sent");
                }
            }
            Step::Later(future) => {
                // Calls that wait for others are bounded; what does not fit is lost, as datagrams may be.
                let Ok(permit) = later.clone().try_acquire_owned() else { continue };
                let socket = socket.clone();
                tokio::spawn(async move {
                    let message = future.await;
                    if !message.is_empty() && message.len() <= MAX_UDP_DATAGRAM {
                        // Nobody is told of a lost answer; the caller asks again.
                        let _ = socket.send_from(&message, received.peer, received.local).await;
                    }
                    drop(permit);
                });
            }
            // No such procedure is open over UDP.
            Step::Propose(_) | Step::Pages(_) | Step::Stream(_) => {}
        }
    }
}
