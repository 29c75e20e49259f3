//! Values of parameters, and how they lie in files.

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a parameter that takes one.
    One(Vec<u8>),
    /// Of a parameter that may be repeated.
    Many(Vec<Vec<u8>>),
    /// Of a boolean parameter that was given.
    Flag,
}

impl Value {
    /// The content of `parameter/NAME`: ended by a newline, one line per value; nothing for an empty value
    /// and for a boolean.
    pub fn file(&self) -> Vec<u8> {
        match self {
            Value::Flag => Vec::new(),
            Value::One(value) => line(value, false),
            Value::Many(values) => values.iter().flat_map(|value| line(value, true)).collect(),
        }
    }
}

fn line(value: &[u8], even_empty: bool) -> Vec<u8> {
    let mut line = value.to_vec();
    if even_empty || !value.is_empty() {
        line.push(b'\n');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_in_files_as_types_expect_them() {
        assert_eq!(Value::One(b"0644".to_vec()).file(), b"0644\n");
        assert_eq!(Value::One(b"two\nlines".to_vec()).file(), b"two\nlines\n");
        assert_eq!(Value::One(Vec::new()).file(), b"");
        assert_eq!(Value::Many(vec![b"a".to_vec(), b"".to_vec(), b"b".to_vec()]).file(), b"a\n\nb\n");
        assert_eq!(Value::Flag.file(), b"");
    }
}
