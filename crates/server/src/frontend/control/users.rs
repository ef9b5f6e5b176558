//! Requests about users of a domain: application passwords, and what access rules decide.

use std::sync::Arc;

use netinfo_directory::{ApplicationPasswordError, Error};
use netinfo_mapping::admin::{self, AdminError};
use netinfo_wire::netinfo::Status;
use serde_json::{Value, json};

use super::requests::served;
use super::{Answer, Failure, blocking, member};
use crate::frontend::now;
use crate::node::Running;

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let status = match &error {
            AdminError::Core(_) => Status::SystemErr,
            AdminError::NoSuch(_) | AdminError::Password(ApplicationPasswordError::NoSuch(_)) => {
                Status::NoDir
            }
            AdminError::Mapping(_) | AdminError::Password(_) => Status::BadOp,
        };
        match error {
            AdminError::Core(error) => error.into(),
            other => Self::new(status, other.to_string()),
        }
    }
}

/// Carries out a request whose operation is one of these; `None` if it is none.
pub(super) async fn answer(node: &Arc<Running>, op: &str, value: &Value) -> Option<Answer> {
    Some(match op {
        "app-passwords" | "add-app-password" | "revoke-app-password" => passwords(node, op, value).await,
        "access" => access(node, value),
        _ => return None,
    })
}

async fn passwords(node: &Arc<Running>, op: &str, value: &Value) -> Answer {
    let domain = served(node, member(value, "tag")?)?.domain.clone();
    let user = member(value, "user")?.to_owned();
    if op == "app-passwords" {
        let list = admin::application_passwords(&domain, &user)?;
        let one = |p: &netinfo_directory::ApplicationPassword| json!({ "label": p.label, "created_ms": p.created, "scope": p.scope });
        return Ok(list.iter().map(one).collect());
    }
    let label = member(value, "label")?.to_owned();
    let adds = op == "add-app-password";
    blocking(move || {
        if !adds {
            admin::revoke_application_password(&domain, &user, &label, now())?;
            return Ok(json!({ "label": label }));
        }
        let secret = admin::add_application_password(&domain, &user, &label, now())?;
        Ok(json!({ "label": label, "password": secret.as_str() }))
    })
    .await
}

fn access(node: &Running, value: &Value) -> Answer {
    let served = served(node, member(value, "tag")?)?;
    let from = match value["from"].as_str().map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => return Err(Failure::new(Status::CantFindAddress, "\"from\" is no address")),
    };
    let (who, target) = (member(value, "as")?, member(value, "target")?);
    let found = admin::explain(&served.domain, who, from, target, value["property"].as_str(), now());
    let found = match found {
        Err(AdminError::Core(Error::Authentication | Error::NoUser)) => {
            return Err(Failure::new(Status::NoUser, format!("\"{who}\" cannot log in")));
        }
        other => other?,
    };
    let one = |e: &netinfo_directory::Explanation| json!({ "action": e.action.to_string(), "allowed": e.allowed, "why": e.to_string() });
    Ok(found.iter().map(one).collect())
}
