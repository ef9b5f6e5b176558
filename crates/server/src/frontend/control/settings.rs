//! Requests about how domains are served over LDAP.

use std::sync::Arc;

use netinfo_directory::Change;
use netinfo_mapping::Namespace;
use netinfo_mapping::settings::{self, Setting, SettingError};
use netinfo_wire::netinfo::Status;
use serde_json::{Map, Value, json};

use super::requests::{internal, served};
use super::{Answer, Failure, blocking, member};
use crate::frontend::now;
use crate::ldap;
use crate::node::Running;
use crate::served::Served;

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        let hint = error.hint();
        let failure = match error {
            SettingError::Core(error) => error.into(),
            error @ (SettingError::Invalid(_) | SettingError::Taken { .. }) => {
                Self::new(Status::BadOp, error.to_string())
            }
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The settings in a request: an object of lists of texts. None where there is no such object.
pub(super) fn wanted(request: &Value) -> Result<Vec<(Setting, Vec<String>)>, Failure> {
    let bad = |text: String| Failure::new(Status::Serial, text);
    let Some(object) = request.get("settings") else { return Ok(Vec::new()) };
    let object = object.as_object().ok_or_else(|| bad("the settings are not an object".into()))?;
    let one = |(name, values): (&String, &Value)| {
        let setting = Setting::named(name).ok_or_else(|| bad(format!("there is no setting \"{name}\"")))?;
        let texts =
            values.as_array().map(|values| values.iter().map(|v| v.as_str().map(str::to_owned)).collect());
        let values: Option<Vec<String>> = texts.flatten();
        Ok((setting, values.ok_or_else(|| bad(format!("\"{name}\" is not a list of texts")))?))
    };
    let wanted: Vec<_> = object.iter().map(one).collect::<Result<_, Failure>>()?;
    settings::check(&wanted)?;
    Ok(wanted)
}

/// Changes settings of a domain.
pub(super) async fn configure(node: Arc<Running>, value: &Value) -> Answer {
    let tag = member(value, "tag")?.to_owned();
    let wanted = wanted(value)?;
    apply(&node, &tag, wanted).await?;
    describe(&node, &tag)
}

/// Changes settings of a domain that is served.
pub(super) async fn apply(
    node: &Arc<Running>,
    tag: &str,
    wanted: Vec<(Setting, Vec<String>)>,
) -> Result<(), Failure> {
    let served = served(node, tag)?;
    check_suffix(node, &served, &wanted)?;
    blocking(move || {
        let session = internal(&served.domain)?;
        let changes: Vec<Change> = settings::plan(&served.domain.read(&session)?, &wanted)?;
        served.domain.write_blocking(&session, changes, now())?;
        Ok(())
    })
    .await?;
    ldap::refresh(node);
    Ok(())
}

/// Two domains of one node cannot have the same name.
fn check_suffix(node: &Running, served: &Served, wanted: &[(Setting, Vec<String>)]) -> Result<(), Failure> {
    let contexts = node.ldap.engine.contexts();
    for other in contexts.iter().filter(|context| !Arc::ptr_eq(context.domain(), &served.domain)) {
        settings::check_beside(settings::suffixes(wanted), other.domain().tag(), &other.namespace())?;
    }
    Ok(())
}

/// How a domain is served over LDAP: what holds, and what was set.
pub(super) fn describe(node: &Running, tag: &str) -> Answer {
    let served = served(node, tag)?;
    let view = served.view()?;
    let namespace = Namespace::new(&view, tag)?;
    let set: Map<String, Value> = settings::read(&view)?
        .into_iter()
        .map(|(setting, values)| (setting.name().into(), json!(values)))
        .collect();
    Ok(json!({
        "tag": tag,
        "suffix": namespace.suffix(),
        "settings": set,
        "problems": namespace.problems(),
    }))
}

/// The whole schema of a domain, as it is published.
pub(super) fn schema(node: &Running, value: &Value) -> Answer {
    let tag = member(value, "tag")?;
    let served = served(node, tag)?;
    let namespace = Namespace::new(&served.view()?, tag)?;
    let schema = namespace.schema();
    Ok(json!({
        "attributeTypes": schema.published_attribute_types().collect::<Vec<_>>(),
        "objectClasses": schema.published_object_classes().collect::<Vec<_>>(),
    }))
}
