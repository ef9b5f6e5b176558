//! Messages to standard error: text for people, text for the system journal, or JSON.
//!
//! Within the journal (systemd sets `JOURNAL_STREAM`) lines carry their priority as `<N>` (RFC 5424 §6.2.1
//! severities) and no time stamp, since the journal keeps both. Colours appear on a terminal only.

use std::fmt;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogFormat, LogLevel};

/// Environment variable with a filter such as `debug` or `info,netinfo_server=trace`, which goes over the
/// configured level.
pub const FILTER_VARIABLE: &str = "NETINFO_LOG";

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The environment variable does not hold a filter.
    #[error(
        "{FILTER_VARIABLE}={value:?} is not a log filter, such as \"debug\" or \"info,netinfo_server=trace\""
    )]
    Filter {
        /// Its content.
        value: String,
    },
    /// Logging is set up already.
    #[error("logging is already set up")]
    Twice,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Terminal,
    Plain,
    Journal,
}

/// Changes the least severe messages logged, while the process runs.
pub struct Reload(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Reload {
    /// Logs from this level on; a filter in the environment still goes over it.
    ///
    /// # Errors
    /// [`LoggingError::Filter`].
    pub fn set(&self, level: LogLevel) -> Result<(), LoggingError> {
        (self.0)(filter(level, std::env::var_os(FILTER_VARIABLE).as_deref())?);
        Ok(())
    }
}

/// Sends all messages of this process to standard error.
///
/// # Errors
/// [`LoggingError`], fit to be shown as is.
pub fn init(format: LogFormat, level: LogLevel) -> Result<Reload, LoggingError> {
    let filter = filter(level, std::env::var_os(FILTER_VARIABLE).as_deref())?;
    let style = match () {
        () if in_journal(std::env::var("JOURNAL_STREAM").ok().as_deref()) => Style::Journal,
        () if io::stderr().is_terminal() => Style::Terminal,
        () => Style::Plain,
    };
    let (subscriber, reload) = subscriber(format, style, filter, io::stderr);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::Twice)?;
    Ok(reload)
}

fn filter(level: LogLevel, variable: Option<&std::ffi::OsStr>) -> Result<EnvFilter, LoggingError> {
    let configured = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let Some(value) = variable.filter(|value| !value.is_empty()) else {
        return Ok(EnvFilter::new(configured));
    };
    let bad = || LoggingError::Filter { value: value.to_string_lossy().into_owned() };
    EnvFilter::builder().parse(value.to_str().ok_or_else(bad)?).map_err(|_| bad())
}

fn subscriber<W>(
    format: LogFormat,
    style: Style,
    filter: EnvFilter,
    writer: W,
) -> (Box<dyn Subscriber + Send + Sync>, Reload)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Each form has a type of its own, and so has its handle.
    macro_rules! finish {
        ($builder:expr) => {{
            let builder = $builder.with_filter_reloading();
            let handle = builder.reload_handle();
            // An error says that the subscriber is gone, and then nothing is logged anyway.
            let reload = Reload(Box::new(move |filter| drop(handle.reload(filter))));
            (Box::new(builder.finish()), reload)
        }};
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match (format, style) {
        (LogFormat::Json, _) => finish!(builder.json().flatten_event(true).with_ansi(false)),
        (LogFormat::Text, Style::Journal) => {
            finish!(builder.with_ansi(false).event_format(Journal::default()))
        }
        (LogFormat::Text, style) => finish!(builder.with_ansi(style == Style::Terminal)),
    }
}

/// Whether standard error is the journal's, as `JOURNAL_STREAM=DEVICE:INODE` claims: the variable alone is
/// inherited by processes whose output goes elsewhere.
fn in_journal(variable: Option<&str>) -> bool {
    let Some((device, inode)) = variable.and_then(|value| value.split_once(':')) else { return false };
    let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned() else { return false };
    std::fs::File::from(stderr)
        .metadata()
        .is_ok_and(|stat| device.parse() == Ok(stat.dev()) && inode.parse() == Ok(stat.ino()))
}

/// Lines as the journal reads them: `<4>target: message field=value`.
struct Journal(Format<Full, ()>);

impl Default for Journal {
    fn default() -> Self {
        Self(Format::default().without_time().with_level(false).with_ansi(false))
    }
}

impl<S, N> FormatEvent<S, N> for Journal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", severity(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, style: Style, level: LogLevel) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let (subscriber, _) = subscriber(format, style, filter(level, None).unwrap(), move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "netinfod", port = 945, "needs privilege");
            tracing::debug!(target: "netinfod", "detail");
        });
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn journal_lines_have_a_priority_and_no_time() {
        let text = logged(LogFormat::Text, Style::Journal, LogLevel::Debug);
        assert_eq!(text, "<4>netinfod: needs privilege port=945\n<7>netinfod: detail\n");
    }

    #[test]
    fn plain_lines_have_a_time_and_no_colour() {
        let text = logged(LogFormat::Text, Style::Plain, LogLevel::Info);
        assert!(text.ends_with("Z  WARN netinfod: needs privilege port=945\n"), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert!(logged(LogFormat::Text, Style::Terminal, LogLevel::Info).contains('\x1b'));
    }

    #[test]
    fn json_has_one_object_a_line() {
        let text = logged(LogFormat::Json, Style::Terminal, LogLevel::Debug);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message"], "needs privilege");
        assert_eq!(lines[0]["port"], 945);
        assert_eq!(lines[0]["level"], "WARN");
    }

    #[test]
    fn variable_goes_over_the_level_and_must_be_a_filter() {
        let set = |value: &str| filter(LogLevel::Error, Some(value.as_ref())).map(|f| f.to_string());
        assert_eq!(set("debug").unwrap(), "debug");
        assert_eq!(set("").unwrap(), "error");
        let error = set("netinfo_server=loud").unwrap_err().to_string();
        assert!(error.starts_with("NETINFO_LOG=\"netinfo_server=loud\" is not a log filter"), "{error}");
    }

    #[test]
    fn journal_is_recognised_by_device_and_inode() {
        let stderr = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned().unwrap());
        let stat = stderr.metadata().unwrap();
        assert!(in_journal(Some(&format!("{}:{}", stat.dev(), stat.ino()))));
        assert!(!in_journal(Some(&format!("{}:{}", stat.dev(), stat.ino().wrapping_add(1)))));
        assert!(!in_journal(Some("journal")));
        assert!(!in_journal(None));
    }
}
