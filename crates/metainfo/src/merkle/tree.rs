//! A tree kept whole from one of its layers up, for who proves many runs of it.

use core::ops::Range;

use headwater_base::Digest256;

use super::{Proof, above, height, padding, parent, run};

/// Every node from one layer up to the root, padding left out. Takes twice the layer's room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    base: u32,
    height: u32,
    layers: Vec<Vec<Digest256>>,
}

impl Tree {
    /// Hashes `nodes`, which are all of layer `base` but for padding, up to the root.
    pub fn new(nodes: Vec<Digest256>, base: u32) -> Self {
        let height = height(nodes.len() as u64);
        let mut pad = padding(base);
        let mut layers = vec![nodes];
        for _ in 0..height {
            let next = layers.last().map(|below| above(below, &pad)).unwrap_or_default();
            layers.push(next);
            pad = parent(&pad, &pad);
        }
        Self { base, height, layers }
    }

    /// The root.
    pub fn root(&self) -> Digest256 {
        let top = self.layers.last().and_then(|layer| layer.first());
        top.copied().unwrap_or_else(|| padding(self.base + self.height))
    }

    /// The lowest layer kept.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// How many layers lie above the lowest one.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The lowest layer without its padding.
    pub fn nodes(&self) -> &[Digest256] {
        self.layers.first().map_or(&[], Vec::as_slice)
    }

    /// One node, padding included; `None` outside the tree or below its lowest layer.
    pub fn node(&self, layer: u32, index: u64) -> Option<Digest256> {
        let up = layer.checked_sub(self.base)?;
        let known = self.layers.get(up as usize)?;
        let width = 1_u64 << (self.height - up);
        (index < width)
            .then(|| run(known, layer, index..index + 1))
            .and_then(|run| run.first().copied())
    }

    /// Proves the nodes `range` of `layer`, a power of two of them that starts at a multiple of
    /// it, by as many uncles as asked for; `None` when the tree has no such run or uncles.
    pub fn prove(&self, layer: u32, range: Range<u64>, uncles: u32) -> Option<Proof> {
        let up = layer.checked_sub(self.base)?;
        let known = self.layers.get(up as usize)?;
        let len = range.end.checked_sub(range.start)?;
        let width = 1_u64 << (self.height - up);
        if !len.is_power_of_two() || !range.start.is_multiple_of(len) || range.end > width {
            return None;
        }
        let first = layer + height(len);
        if uncles > self.base + self.height - first {
            return None;
        }
        let uncle = |n: u32| self.node(first + n, ((range.start / len) >> n) ^ 1);
        Some(Proof {
            uncles: (0..uncles).map(uncle).collect::<Option<_>>()?,
            nodes: run(known, layer, range),
        })
    }
}
