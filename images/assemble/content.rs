//! What a layer's recipe puts into the layer: packages, files, links, markers.

use std::{collections::BTreeMap, fs};

use crate::{
    Result, archive, context,
    packages::below,
    programs::{Programs, libraries},
    recipe::{LayerRecipe, Recipe, Style},
    tree::{Kind, Node, Tree, clean, octal},
};

/// Recipes by name, with their text.
pub(crate) type Recipes = BTreeMap<String, (Recipe, String)>;

/// Everything that layers are filled from.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) programs: Programs<'a>,
    pub(crate) recipes: &'a Recipes,
}

impl Contents<'_> {
    /// The trees that a layer's recipe asks for: those of its packages, then its own.
    pub(crate) fn trees(&self, wanted: &LayerRecipe) -> Result<Vec<Tree>> {
        let listed = |list: &[String], path: &str| list.iter().any(|entry| below(path, &clean(entry)));
        let keep = |path: &str| {
            (wanted.only.is_empty() || listed(&wanted.only, path)) && !listed(&wanted.without, path)
        };
        let mut trees = if wanted.packages.is_empty() {
            Vec::new()
        } else {
            self.programs
                .packages
                .trees(&wanted.packages, wanted.style, &keep)?
        };
        let apart = wanted.style == Style::Distroless || trees.is_empty();
        let mut own = if apart {
            Tree::default()
        } else {
            trees.pop().unwrap_or_default()
        };
        self.own(wanted, &mut own)?;
        if !own.nodes.is_empty() || trees.is_empty() {
            trees.push(own);
        }
        Ok(trees)
    }

    fn own(&self, wanted: &LayerRecipe, tree: &mut Tree) -> Result<()> {
        if let Some(name) = &wanted.copy_all {
            self.copy_all(name, tree)?;
        }
        for (path, mode) in &wanted.dirs {
            tree.put(path, Node::new(Kind::Directory, octal(mode)?));
        }
        for (path, text) in &wanted.files {
            tree.put(path, Node::new(Kind::File(text.clone().into_bytes()), 0o644));
        }
        for (path, source) in &wanted.copy {
            let (bytes, mode) = self.programs.read(source)?;
            if wanted.libraries {
                for library in libraries(&bytes, &self.programs.built)? {
                    let content = fs::read(&library).map_err(context(&library))?;
                    tree.put(&library, Node::new(Kind::File(content), 0o755));
                }
            }
            tree.put(path, Node::new(Kind::File(bytes), mode));
        }
        for archive in &wanted.archives {
            let bytes = archive::build(archive, |source| match source.strip_prefix("layer:") {
                Some(path) => match tree.nodes.get(&clean(path)).map(|node| &node.kind) {
                    Some(Kind::File(bytes)) => Ok(bytes.clone()),
                    _ => Err(format!("{source}: the layer has no such file yet").into()),
                },
                None => Ok(self.programs.read(source)?.0),
            })?;
            tree.put(&archive.path, Node::new(Kind::File(bytes), 0o644));
        }
        for (path, target) in &wanted.links {
            tree.put(path, Node::new(Kind::Symlink(target.clone()), 0o777));
        }
        for list in &wanted.applets {
            for name in list.names.split_whitespace() {
                let path = format!("{}/{name}", list.dir);
                tree.put(&path, Node::new(Kind::Symlink(list.target.clone()), 0o777));
            }
        }
        for (path, target) in &wanted.hard_links {
            let target = clean(target);
            let node = tree
                .nodes
                .get(&target)
                .ok_or_else(|| format!("hard link to {target}: no such path"))?;
            let link = Node {
                kind: Kind::HardLink(target),
                ..node.clone()
            };
            tree.put(path, link);
        }
        for (path, device) in &wanted.devices {
            tree.put(path, Node::new(Kind::device(device)?, 0o600));
        }
        for (path, attributes) in &wanted.attributes {
            tree.set(path, attributes)?;
        }
        for path in &wanted.delete {
            let path = clean(path);
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            tree.put(
                &format!("{parent}/.wh.{name}"),
                Node::new(Kind::File(Vec::new()), 0o644),
            );
        }
        for path in &wanted.opaque {
            tree.put(
                &format!("{path}/.wh..wh..opq"),
                Node::new(Kind::File(Vec::new()), 0o644),
            );
        }
        Ok(())
    }

    /// What the image of another recipe shows in the end.
    fn copy_all(&self, name: &str, tree: &mut Tree) -> Result<()> {
        let mut chain = Vec::new();
        let mut next = Some(name);
        while let Some((recipe, _)) = next.and_then(|name| self.recipes.get(name)) {
            chain.push(recipe);
            next = recipe.base.as_deref();
        }
        for layer in chain.into_iter().rev().flat_map(|recipe| &recipe.layers) {
            for gone in layer.delete.iter().map(|path| clean(path)) {
                tree.nodes.retain(|path, _| !below(path, &gone));
            }
            for part in self.trees(layer)? {
                let shown = part.nodes.into_iter().filter(|(path, _)| !path.contains("/.wh."));
                tree.nodes.extend(shown);
            }
        }
        Ok(())
    }
}
