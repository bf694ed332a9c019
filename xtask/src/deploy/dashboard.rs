//! Grafana's dashboard: `panels` says what it shows, this how Grafana wants to have it.

use serde_json::{Value, json};

use super::panels::{Kind, Panel, ROWS, Row};

/// Grafana divides the page into as many columns.
const COLUMNS: u32 = 24;

pub(super) fn dashboard() -> Value {
    json!({
        "uid": "bindery",
        "title": "Bindery",
        "description": "Events in, assignments and statuses out.",
        "tags": ["bindery", "kafka"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-3h", "to": "now" },
        "timezone": "browser",
        "templating": { "list": variables() },
        "links": [],
        "panels": laid_out(ROWS),
    })
}

fn variables() -> Value {
    let query = |name: &str, label: &str, query: &str, multi: bool| {
        json!({
            "name": name,
            "label": label,
            "type": "query",
            "datasource": source(),
            "query": { "query": query, "refId": "variable" },
            "definition": query,
            "refresh": 2,
            "sort": 1,
            "multi": multi,
            "includeAll": multi,
            "allValue": ".+",
        })
    };
    json!([
        { "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus" },
        query("job", "Installation", "label_values(bindery_build_info, job)", false),
        query("service", "Service", r#"label_values(bindery_lane_phase{job="$job"}, service)"#, true),
    ])
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// Rows one under the other, panels from left to right as wide as they are.
fn laid_out(rows: &[Row]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut top = 0;
    for row in rows {
        let place = json!({ "x": 0, "y": top, "w": COLUMNS, "h": 1 });
        out.push(json!({
            "id": out.len() + 1, "type": "row", "title": row.title, "collapsed": false,
            "gridPos": place, "panels": [],
        }));
        top += 1;
        let (mut left, mut height) = (0, 0);
        for panel in row.panels {
            if left + panel.width > COLUMNS {
                top += height;
                (left, height) = (0, 0);
            }
            let place = json!({ "x": left, "y": top, "w": panel.width, "h": panel.height() });
            out.push(drawn(panel, out.len() + 1, &place));
            left += panel.width;
            height = height.max(panel.height());
        }
        top += height;
    }
    out
}

fn drawn(panel: &Panel, id: usize, place: &Value) -> Value {
    let targets = panel.queries.iter().zip('A'..).map(|((query, legend), reference)| {
        json!({
            "refId": reference.to_string(),
            "datasource": source(),
            "expr": query,
            "legendFormat": legend,
            "range": panel.kind == Kind::Lines,
            "instant": panel.kind == Kind::Number,
        })
    });
    let targets: Vec<Value> = targets.collect();
    let (kind, options, custom) = match panel.kind {
        Kind::Lines => (
            "timeseries",
            json!({
                "legend": { "displayMode": "list", "placement": "bottom" },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            json!({ "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": false }),
        ),
        Kind::Number => (
            "stat",
            json!({
                "colorMode": if panel.alarm_at.is_some() { "background" } else { "value" },
                "graphMode": "none",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
                "textMode": "value_and_name",
            }),
            json!({}),
        ),
    };
    let mut steps = vec![json!({ "color": "green", "value": null })];
    steps.extend(panel.alarm_at.map(|value| json!({ "color": "red", "value": value })));
    json!({
        "id": id,
        "type": kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": source(),
        "gridPos": place,
        "targets": targets,
        "options": options,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "noValue": "0",
                "custom": custom,
                "thresholds": { "mode": "absolute", "steps": steps },
            },
            "overrides": [],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panel_lies_on_another() {
        let places: Vec<[u64; 4]> = laid_out(ROWS)
            .iter()
            .map(|panel| ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap()))
            .collect();
        for (at, [x, y, w, h]) in places.iter().enumerate() {
            assert!(x + w <= u64::from(COLUMNS), "panel {at} is too wide");
            for [left, top, width, height] in &places[..at] {
                let apart =
                    x + w <= *left || left + width <= *x || y + h <= *top || top + height <= *y;
                assert!(apart, "panel {at} lies on another");
            }
        }
    }
}
