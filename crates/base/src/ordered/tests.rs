//! Holds the maps and sets against the standard library's under random operations.

use std::collections::{BTreeMap, BTreeSet};

use super::{Map, Set};
use crate::Seed;

#[test]
fn map_answers_like_a_tree_under_random_operations() {
    let mut rng = Seed([9; 32]).split("map");
    let (mut ours, mut tree) = (Map::new(), BTreeMap::new());
    for step in 0..20_000_u64 {
        let key = rng.below(64);
        match rng.below(6) {
            0 | 1 => assert_eq!(ours.insert(key, step), tree.insert(key, step)),
            2 => assert_eq!(ours.remove(&key), tree.remove(&key)),
            3 => assert_eq!(ours.entry(key).or_insert(step), tree.entry(key).or_insert(step)),
            4 => assert_eq!(ours.get_mut(&key), tree.get_mut(&key)),
            _ => assert_eq!(ours.contains_key(&key), tree.contains_key(&key)),
        }
        if step % 97 == 0 {
            assert_eq!(ours.pop_first(), tree.pop_first());
            ours.retain(|key, _| key % 7 != step % 7);
            tree.retain(|key, _| key % 7 != step % 7);
        }
        assert!(ours.iter().eq(tree.iter()));
        assert_eq!(ours.len(), tree.len());
    }
    assert!(!ours.is_empty() && ours.iter().eq(tree.iter()));
}

#[test]
fn set_answers_like_a_tree_under_random_operations() {
    let mut rng = Seed([9; 32]).split("set");
    let (mut ours, mut tree) = (Set::new(), BTreeSet::new());
    for step in 0..20_000_u64 {
        let item = rng.below(64);
        match rng.below(4) {
            0 | 1 => assert_eq!(ours.insert(item), tree.insert(item)),
            2 => assert_eq!(ours.remove(&item), tree.remove(&item)),
            _ => assert_eq!(ours.contains(&item), tree.contains(&item)),
        }
        if step % 97 == 0 {
            assert_eq!(ours.pop_first(), tree.pop_first());
        }
        assert!(ours.range(item..).eq(tree.range(item..)));
        assert_eq!((ours.first(), ours.last()), (tree.first(), tree.last()));
    }
    assert!(!ours.is_empty() && ours.iter().eq(tree.iter()));
}
