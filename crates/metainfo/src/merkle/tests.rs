//! Trees: padding, layers, and proofs that hold for what they prove and for nothing else.

use super::*;
use headwater_base::{hex, unhex};
use proptest::prelude::*;

fn nodes(count: u64) -> Vec<Digest256> {
    (0..count).map(|n| sha256(&n.to_le_bytes())).collect()
}

/// The root by its definition: every leaf written out.
fn by_definition(leaves: &[Digest256]) -> Digest256 {
    let mut nodes = leaves.to_vec();
    nodes.resize(leaves.len().max(1).next_power_of_two(), [0; 32]);
    while nodes.len() > 1 {
        nodes = nodes.chunks(2).map(|pair| parent(&pair[0], &pair[1])).collect();
    }
    nodes[0]
}

#[test]
fn padding_is_the_root_of_zero_leaves() {
    assert_eq!(padding(0), [0; 32]);
    let one = "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b";
    assert_eq!(hex(&padding(1)), one);
    assert_eq!(unhex(one).map(|node| sha256(&[node.clone(), node].concat())), Some(padding(2)));
    assert_eq!(padding(3), by_definition(&[[0; 32]; 8]));
    assert_eq!(root(&[], 1, 2), padding(3));
}

#[test]
fn a_short_block_is_hashed_as_short_as_it_is() {
    let bytes = vec![7; 16384 + 5];
    assert_eq!(leaves(&bytes), [sha256(&bytes[..16384]), sha256(&[7; 5])]);
    assert_eq!(file_root(&leaves(&[7; 5])), sha256(&[7; 5]));
}

#[test]
fn heights_and_layers_are_counted() {
    assert_eq!([0, 1, 2, 3, 4, 5, 1 << 36].map(height), [0, 0, 1, 2, 2, 3, 36]);
    assert_eq!([0, 1, 16384, 16385].map(block_count), [0, 1, 1, 2]);
    assert_eq!([16384, 32768, 1 << 24].map(piece_layer), [0, 1, 10]);
}

#[test]
fn roots_are_those_of_the_definition() {
    for count in 1..40 {
        let leaves = nodes(count);
        assert_eq!(file_root(&leaves), by_definition(&leaves), "{count} leaves");
        for piece_length in [16384, 32768, 131_072] {
            let layer = piece_layer(piece_length);
            let pieces = layer_of_pieces(&leaves, piece_length);
            let height = height(count).saturating_sub(layer);
            if count > 1 << layer {
                assert_eq!(root(&pieces, layer, height), file_root(&leaves), "{count} leaves");
            }
        }
    }
}

#[test]
fn what_cannot_be_proved_is_not() {
    let tree = Tree::new(nodes(5), 2);
    assert_eq!((tree.base(), tree.height(), tree.nodes().len()), (2, 3, 5));
    for (layer, range, uncles) in [
        (1, 0..2, 0),
        (2, 0..3, 0),
        (2, 1..3, 0),
        (2, 8..10, 0),
        (2, 0..2, 3),
        (6, 0..1, 0),
        (2, 2..2, 0),
    ] {
        assert_eq!(tree.prove(layer, range.clone(), uncles), None, "{layer} {range:?} {uncles}");
    }
    assert_eq!(tree.node(2, 8), None);
    assert_eq!(tree.node(2, 7), Some(padding(2)));
    assert_eq!(tree.node(5, 0), Some(tree.root()));
    assert_eq!((tree.node(1, 0), tree.node(6, 0)), (None, None));
}

#[test]
fn a_proof_of_another_place_or_length_does_not_hold() {
    let tree = Tree::new(nodes(8), 0);
    let proof = tree.prove(0, 2..4, 2).unwrap();
    assert!(proof.proves(&tree.root(), 0, 2, 3));
    for (index, height) in [(0, 3), (4, 3), (3, 3), (2, 2), (2, 4), (10, 3), (u64::MAX - 1, 3)] {
        assert!(!proof.proves(&tree.root(), 0, index, height), "{index} {height}");
    }
    let mut longer = proof.clone();
    longer.uncles.push([0; 32]);
    assert!(!longer.proves(&tree.root(), 0, 2, 3));
    let none = Proof { nodes: Vec::new(), uncles: Vec::new() };
    assert!(!none.proves(&tree.root(), 0, 0, 0));
    // Part of the way up it still climbs to a node that may be known.
    let part = tree.prove(0, 2..4, 1).unwrap();
    assert_eq!(part.climb(0, 2), tree.node(2, 0));
}

proptest! {
    #[test]
    fn every_run_is_proved_and_no_changed_one(
        count in 1..200_u64,
        base in 0..3_u32,
        at: u64,
        up: u32,
        flip in any::<prop::sample::Index>(),
    ) {
        let tree = Tree::new(nodes(count), base);
        prop_assert_eq!(tree.root(), root(&nodes(count), base, height(count)));
        let len = 1 << (up % (tree.height() + 1));
        let start = at % (1 << tree.height()) / len * len;
        let uncles = tree.height() - height(len);
        let mut proof = tree.prove(base, start..start + len, uncles).unwrap();
        prop_assert!(proof.proves(&tree.root(), base, start, tree.height()));
        let all = proof.nodes.len() + proof.uncles.len();
        let spoiled = flip.index(all);
        let own = proof.nodes.len();
        let node = match spoiled.checked_sub(own) {
            None => &mut proof.nodes[spoiled],
            Some(uncle) => &mut proof.uncles[uncle],
        };
        node[5] ^= 1;
        prop_assert!(!proof.proves(&tree.root(), base, start, tree.height()));
    }
}
