//! "Did you mean".

/// The candidate that `word` most likely stands for; `None` if none is near.
///
/// Near is an edit distance (insertions, deletions, substitutions, swaps of neighbours; case does
/// not count) of at most a third of the word's length, at least 1. The first of equals wins.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LENGTH_MAX).collect();
    let limit = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Longer words are cut: nobody mistypes a key of 64 characters, and the cost is quadratic.
const LENGTH_MAX: usize = 64;

/// Optimal string alignment distance.
fn distance(word: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).take(LENGTH_MAX).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut cost = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_find_their_word() {
        let keys = ["network", "mac", "ip", "alias", "state", "vmhost"];
        assert_eq!(did_you_mean("netwrok", keys), Some("network"));
        assert_eq!(did_you_mean("Mac", keys), Some("mac"));
        assert_eq!(did_you_mean("aliases", keys), Some("alias"));
        assert_eq!(did_you_mean("vm-host", keys), Some("vmhost"));
        assert_eq!(did_you_mean("colour", keys), None);
    }
}
