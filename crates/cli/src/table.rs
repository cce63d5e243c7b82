//! Columns on a terminal: a Chinese character is two columns wide, and a colour has no width.

use unicode_width::UnicodeWidthStr as _;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) colour: Option<Colour>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Amber,
    Blue,
    Faint,
    Green,
    Red,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, colour: None }
    }
}

impl Cell {
    pub(crate) fn in_colour(text: impl Into<String>, colour: Colour) -> Self {
        Self { text: text.into(), colour: Some(colour) }
    }

    fn painted(&self, colour: bool) -> String {
        let text = harmless(&self.text);
        match self.colour.filter(|_| colour) {
            Some(colour) => format!("\x1b[{}m{text}\x1b[0m", colour.code()),
            None => text,
        }
    }
}

impl Colour {
    fn code(self) -> u8 {
        match self {
            Self::Amber => 33,
            Self::Blue => 34,
            Self::Faint => 2,
            Self::Green => 32,
            Self::Red => 31,
        }
    }
}

pub(crate) fn lines(rows: &[Vec<Cell>], colour: bool) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(width).max().unwrap_or_default())
        .collect();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            let mut gap = 0;
            for (cell, column) in row.iter().zip(&widths) {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(&cell.painted(colour));
                gap = column - width(cell) + BETWEEN;
            }
            line
        })
        .collect()
}

fn width(cell: &Cell) -> usize {
    harmless(&cell.text).width()
}

/// Text of a provider or another program must not control the terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

const BETWEEN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<Cell> {
        cells.iter().map(|cell| Cell::from((*cell).to_owned())).collect()
    }

    #[test]
    fn columns_are_aligned_in_any_script() {
        let rows = [row(&["NAME", "STATE", "HOST"]), row(&["工作", "已登录", "a"]), row(&["x"])];
        assert_eq!(lines(&rows, false), ["NAME  STATE   HOST", "工作  已登录  a", "x"]);
    }

    #[test]
    fn colours_take_no_room_and_only_where_they_are_wanted() {
        let rows = [vec![Cell::in_colour("up", Colour::Green), Cell::from("a".to_owned())]];
        assert_eq!(lines(&rows, true), ["\x1b[32mup\x1b[0m  a"]);
        assert_eq!(lines(&rows, false), ["up  a"]);
    }

    #[test]
    fn a_provider_cannot_steer_the_terminal() {
        assert_eq!(lines(&[row(&["a\x1b[2J\nb"])], true), ["a [2J b"]);
    }
}
