//! Answers as a table for a person: numbers to the right, nothing cut off.

use serde_json::Value;

/// Draws columns and rows of JSON values.
pub fn draw(columns: &[String], rows: &[Vec<Value>]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let column = cells.iter().filter_map(|row| row.get(index));
            column.map(|cell| cell.chars().count()).fold(name.chars().count(), usize::max)
        })
        .collect();
    let right: Vec<bool> = (0..columns.len()).map(|index| is_numeric(&cells, index)).collect();
    let mut drawn = line(columns.iter().map(String::as_str), &widths, &right);
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    drawn.push_str(&line(rules.iter().map(String::as_str), &widths, &right));
    for row in &cells {
        drawn.push_str(&line(row.iter().map(String::as_str), &widths, &right));
    }
    drawn
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize], right: &[bool]) -> String {
    let padded = cells.zip(widths.iter().zip(right)).map(|(cell, (width, right))| {
        if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    let joined: Vec<String> = padded.collect();
    format!("{}\n", joined.join("  ").trim_end())
}

/// A value as it stands in a cell: texts without quotes, null as nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_numeric(cells: &[Vec<String>], index: usize) -> bool {
    let mut column = cells.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty());
    let numeric = |cell: &String| cell.parse::<crate::money::Decimal>().is_ok();
    column.next().is_some_and(numeric) && column.all(numeric)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn numbers_stand_to_the_right_and_null_is_empty() {
        let columns = ["tenant".to_owned(), "cost_usd".to_owned()];
        let rows = [vec![json!("acme"), json!("12.5")], vec![json!("b"), json!(null)]];
        let expected = "tenant  cost_usd\n------  --------\nacme        12.5\nb\n";
        assert_eq!(super::draw(&columns, &rows), expected);
    }
}
