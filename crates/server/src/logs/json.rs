//! `JsonLine`: an event as one line of JSON, with the fields of its spans.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Writes an event as one line of JSON.
///
/// The fields of all spans are merged with those of the event, so that a search for a request or a
/// user finds every line about it: the library's own format shows only the innermost span.
/// Values from outside are escaped, so they cannot end the line or their string.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields(Map::new());
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(written) = span.extensions().get::<FormattedFields<N>>() {
                // A span without fields writes nothing.
                let known: Map<String, Value> = serde_json::from_str(written).unwrap_or_default();
                fields.0.extend(known);
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        // Libraries that use the `log` crate put their target into a field.
        let target = fields.0.remove("log.target").unwrap_or_else(|| metadata.target().into());
        // An event with only an error has no message.
        let message = fields.0.remove("message").or_else(|| fields.0.get("error").cloned());
        let message = message.unwrap_or_else(|| metadata.name().into());
        fields.0.retain(|name, _| !name.starts_with("log."));

        write!(writer, r#"{{"timestamp":{},"level":"{}""#, Value::from(time), metadata.level())?;
        write!(writer, r#","message":{message},"target":{target}"#)?;
        for (name, value) in fields.0 {
            write!(writer, ",{}:{value}", Value::from(name))?;
        }
        writeln!(writer, "}}")
    }
}

/// The fields of an event.
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().trim_start_matches("r#").to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format::JsonFields;

    use super::*;

    /// Captures what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are logged during `work`.
    fn lines_of(work: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_holds_the_fields_of_all_spans() {
        let lines = lines_of(|| {
            let request = tracing::info_span!("request", request_id = "r1", user_id = "u1");
            let _request = request.enter();
            let case = tracing::info_span!("login", user_id = "u2", count = 3);
            let _case = case.enter();
            tracing::warn!(ok = true, "done");
            tracing::info!(error = "no words");
        });
        let line = &lines[0];
        assert_eq!([&line["request_id"], &line["user_id"]], ["r1", "u2"]);
        assert_eq!([&line["message"], &line["level"]], ["done", "WARN"]);
        assert_eq!((&line["count"], &line["ok"]), (&Value::from(3), &Value::from(true)));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["message"], "no words");
    }

    /// Row 16.4.1: a value from outside ends neither its string nor its line.
    #[test]
    fn a16_4_1_a_value_cannot_forge_a_line() {
        let forged = "x\",\"level\":\"ERROR\r\n{\"message\":\"forged\"}\u{1b}[31m";
        let lines = lines_of(|| tracing::info!(plain = %forged, quoted = ?forged, "{forged}"));
        assert_eq!(lines.len(), 1);
        assert_eq!([&lines[0]["plain"], &lines[0]["message"]], [forged, forged]);
        assert_eq!(lines[0]["level"], "INFO");
    }
}
