//! Finding a cycle among requirements.

/// A cycle in the graph over `0..count` with the given edges: each node requires the next, the last one
/// the first. `None` if there is none. Nodes and edges are followed in order, so the same graph yields
/// the same cycle. Cost: each edge once; no recursion.
pub fn find<I: Iterator<Item = usize>>(count: usize, edges: impl Fn(usize) -> I) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Closed,
    }
    let mut marks = vec![Mark::New; count];
    for start in 0..count {
        if marks.get(start) != Some(&Mark::New) {
            continue;
        }
        let mut path = vec![(start, edges(start))];
        marks[start] = Mark::Open;
        while let Some((node, rest)) = path.last_mut() {
            let node = *node;
            let Some(next) = rest.next() else {
                marks[node] = Mark::Closed;
                path.pop();
                continue;
            };
            match marks.get(next) {
                Some(Mark::Open) => {
                    let nodes: Vec<usize> = path.iter().map(|(node, _)| *node).collect();
                    return Some(nodes.into_iter().skip_while(|node| *node != next).collect());
                }
                Some(Mark::New) => {
                    marks[next] = Mark::Open;
                    path.push((next, edges(next)));
                }
                Some(Mark::Closed) | None => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cycle(graph: &[Vec<usize>]) -> Option<Vec<usize>> {
        find(graph.len(), |node| graph[node].iter().copied())
    }

    #[test]
    fn the_cycle_is_told_as_its_path() {
        assert_eq!(cycle(&[vec![1], vec![2, 3], vec![], vec![1]]), Some(vec![1, 3]));
        assert_eq!(cycle(&[vec![0]]), Some(vec![0]));
        assert_eq!(cycle(&[vec![1, 2], vec![2], vec![]]), None);
    }

    proptest! {
        #[test]
        fn a_cycle_is_found_exactly_if_there_is_one(graph in proptest::collection::vec(proptest::collection::vec(0_usize..12, 0..3), 1..12)) {
            let graph: Vec<Vec<usize>> = graph.iter().map(|edges| edges.iter().map(|edge| edge % graph.len()).collect()).collect();
            // Oracle: taking away nodes without edges leaves something exactly if there is a cycle.
            let mut left: Vec<usize> = (0..graph.len()).collect();
            loop {
                let before = left.len();
                let keep: Vec<usize> = left.iter().copied().filter(|node| graph[*node].iter().any(|edge| left.contains(edge))).collect();
                left = keep;
                if left.len() == before { break }
            }
            match cycle(&graph) {
                None => prop_assert!(left.is_empty()),
                Some(path) => {
                    for (at, node) in path.iter().enumerate() {
                        prop_assert!(graph[*node].contains(&path[(at + 1) % path.len()]));
                    }
                }
            }
        }
    }
}
