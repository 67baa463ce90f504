//! An image is made of a recipe: its layers on those of its base, its configuration over the base's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Result,
    apt::{Packages, machine},
    config::{CREATED, configure, line},
    content::{Contents, Recipes},
    context,
    layer::{compress, damage, media_type, tar},
    layout::{Blobs, CONFIG, Descriptor, INDEX, MANIFEST, sha256},
    programs::Programs,
    recipe::{LayerRecipe, Recipe},
    tree::{Directories, Tree},
};

/// Whatever changes here changes what recipes give.
const ASSEMBLER: [&str; 9] = [
    include_str!("config.rs"),
    include_str!("content.rs"),
    include_str!("image.rs"),
    include_str!("layer.rs"),
    include_str!("layout.rs"),
    include_str!("packages.rs"),
    include_str!("programs.rs"),
    include_str!("recipe.rs"),
    include_str!("tree.rs"),
];

/// An assembled image, with all that those built on it need to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Assembled {
    /// Digest of everything it depends on: with the same one it need not be made again.
    inputs: String,
    /// What stands in the layout's index.
    top: Value,
    layers: Vec<Layer>,
    config: Value,
    /// Configuration, manifests and the layers of an index's children.
    documents: Vec<Descriptor>,
    children: Vec<Layer>,
}

/// A layer as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Layer {
    descriptor: Descriptor,
    diff_id: String,
    /// Digest of the blob's bytes: another than the described one in a sample with a defect.
    stored: String,
    directories: Directories,
}

/// Where everything is.
struct Workshop {
    recipes: PathBuf,
    stamps: PathBuf,
    blobs: Blobs,
    packages: Packages,
    scratch: PathBuf,
}

/// Assembles one recipe, and what it is based on.
pub(crate) fn one(directory: &Path, out: &Path) -> Result<()> {
    let recipes = directory.parent().unwrap_or(directory);
    let name = directory
        .file_name()
        .ok_or("the recipe's directory has no name")?
        .to_string_lossy();
    let shop = Workshop::open(recipes)?;
    let mut loaded = Recipes::new();
    load(recipes, &name, &mut loaded)?;
    let done = shop.assemble_all(&loaded)?;
    let image = done.get(name.as_ref()).ok_or("nothing was assembled")?;
    shop.write(image, out)?;
    println!("{}: {}", out.display(), loaded[name.as_ref()].0.about);
    Ok(())
}

/// Assembles every recipe of the repository into `out/NAME`; unchanged ones are kept.
pub(crate) fn all(out: &Path) -> Result<()> {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("images");
    let shop = Workshop::open(&recipes)?;
    let mut loaded = Recipes::new();
    for entry in fs::read_dir(&recipes).map_err(context(&recipes))? {
        let path = entry?.path();
        if path.join("image.toml").is_file() {
            load(
                &recipes,
                &path.file_name().unwrap_or_default().to_string_lossy(),
                &mut loaded,
            )?;
        }
    }
    for (name, image) in shop.assemble_all(&loaded)? {
        let stamp = out.join(&name).join("inputs");
        if fs::read_to_string(&stamp).is_ok_and(|inputs| inputs == image.inputs) {
            continue;
        }
        shop.write(&image, &out.join(&name))?;
        fs::write(&stamp, &image.inputs).map_err(context(&stamp))?;
    }
    println!("{} samples in {}", loaded.len(), out.display());
    Ok(())
}

/// Loads a recipe and those that it needs.
fn load(recipes: &Path, name: &str, loaded: &mut Recipes) -> Result<()> {
    let mut wanted = vec![name.to_owned()];
    while let Some(name) = wanted.pop() {
        if loaded.contains_key(&name) {
            continue;
        }
        let (recipe, text) = Recipe::load(&recipes.join(&name))?;
        wanted.extend(recipe.needs().cloned());
        loaded.insert(name, (recipe, text));
    }
    Ok(())
}

impl Workshop {
    fn open(recipes: &Path) -> Result<Self> {
        let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/assemble");
        let stamps = work.join("stamps");
        fs::create_dir_all(&stamps).map_err(context(&stamps))?;
        Ok(Self {
            recipes: recipes.to_owned(),
            stamps,
            blobs: Blobs::new(work.join("blobs"))?,
            packages: Packages::new(&work),
            scratch: work.join("programs"),
        })
    }

    /// Assembles recipes, those that others need first, as many at once as there are processors.
    fn assemble_all(&self, loaded: &Recipes) -> Result<BTreeMap<String, Assembled>> {
        let names: BTreeSet<&str> = loaded
            .values()
            .flat_map(|(recipe, _)| recipe.packages())
            .collect();
        self.packages.fetch(&names)?;
        let mut done: BTreeMap<String, Assembled> = BTreeMap::new();
        while done.len() < loaded.len() {
            let ready: Vec<_> = loaded
                .iter()
                .filter(|(name, (recipe, _))| {
                    !done.contains_key(*name) && recipe.needs().all(|need| done.contains_key(need))
                })
                .collect();
            if ready.is_empty() {
                return Err("recipes are based on each other in a circle".into());
            }
            let made: Vec<_> = ready
                .par_iter()
                .map(|(name, recipe)| {
                    let image = self.assemble(name, recipe, loaded, &done);
                    Ok(((*name).clone(), image.map_err(context(name))?))
                })
                .collect::<Result<_>>()?;
            done.extend(made);
        }
        Ok(done)
    }

    fn assemble(
        &self,
        name: &str,
        (recipe, text): &(Recipe, String),
        loaded: &Recipes,
        done: &BTreeMap<String, Assembled>,
    ) -> Result<Assembled> {
        let start = Instant::now();
        let needs: Vec<_> = recipe.needs().filter_map(|need| done.get(need)).collect();
        let programs = Programs {
            sources: self.recipes.join("programs"),
            built: self.scratch.clone(),
            packages: &self.packages,
        };
        let contents = Contents {
            programs,
            recipes: loaded,
        };
        let inputs = self.inputs(recipe, text, &needs, &contents.programs)?;
        let stamp = self.stamps.join(format!("{name}.json"));
        if let Ok(kept) = fs::read(&stamp)
            && let Ok(kept) = serde_json::from_slice::<Assembled>(&kept)
            && kept.inputs == inputs
            && kept.layers.iter().all(|layer| self.blobs.has(&layer.stored))
            && kept
                .documents
                .iter()
                .all(|document| self.blobs.has(&document.digest))
        {
            return Ok(kept);
        }
        let mut image = if recipe.index.is_empty() {
            self.image(
                recipe,
                recipe.base.as_ref().and_then(|base| done.get(base)),
                &contents,
            )?
        } else {
            self.index(&needs)?
        };
        image.inputs = inputs;
        fs::write(&stamp, serde_json::to_vec(&image)?).map_err(context(&stamp))?;
        println!("{name} ({:.1} s)", start.elapsed().as_secs_f32());
        Ok(image)
    }

    /// Digest of all that the result depends on.
    fn inputs(
        &self,
        recipe: &Recipe,
        text: &str,
        needs: &[&Assembled],
        programs: &Programs<'_>,
    ) -> Result<String> {
        let mut all = ASSEMBLER.concat().into_bytes();
        all.extend(text.bytes());
        for need in needs {
            all.extend(need.inputs.bytes());
        }
        for name in recipe.packages() {
            let file = self.packages.file(name)?;
            all.extend(file.file_name().unwrap_or_default().as_encoded_bytes());
        }
        for source in recipe.layers.iter().flat_map(|layer| layer.copy.values()) {
            all.extend(programs.inputs(source)?);
        }
        Ok(sha256(&all))
    }

    fn index(&self, children: &[&Assembled]) -> Result<Assembled> {
        let manifests: Vec<_> = children.iter().map(|child| &child.top).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let descriptor = self.blobs.put_json(INDEX, &index)?;
        let mut documents: Vec<_> = children
            .iter()
            .flat_map(|child| child.documents.clone())
            .collect();
        documents.push(descriptor.clone());
        Ok(Assembled {
            inputs: String::new(),
            top: serde_json::to_value(&descriptor)?,
            layers: Vec::new(),
            config: Value::Null,
            documents,
            children: children.iter().flat_map(|child| child.layers.clone()).collect(),
        })
    }

    fn image(&self, recipe: &Recipe, base: Option<&Assembled>, contents: &Contents<'_>) -> Result<Assembled> {
        let mut layers = base.map(|base| base.layers.clone()).unwrap_or_default();
        let mut config = base.map_or_else(|| json!({ "config": {} }), |base| base.config.clone());
        if base.is_none() {
            config["os"] = "linux".into();
            config["architecture"] = machine().into();
        }
        if let Some(platform) = &recipe.platform {
            let (os, architecture) = platform.split_once('/').ok_or("platform is os/architecture")?;
            config["os"] = os.into();
            config["architecture"] = architecture.into();
        }
        let mut history = config["history"].as_array().cloned().unwrap_or_default();
        for wanted in &recipe.layers {
            for tree in contents.trees(wanted)? {
                layers.push(self.layer(tree, wanted, &layers)?);
                history.push(line(wanted.instruction.as_deref(), false));
            }
        }
        configure(&recipe.config, &mut config["config"], &mut history);
        config["created"] = CREATED.into();
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer.diff_id).collect();
        config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
        // Bazel writes no history at all; BuildKit gives a line to each layer that came without one.
        let told = history.iter().any(|line| line.get("created_by").is_some());
        config["history"] = if told { history.into() } else { json!([]) };
        let mut shown = config.clone();
        if !told && let Some(fields) = shown.as_object_mut() {
            fields.remove("history");
            // Kept for images built on this one.
            config["history"] = layers.iter().map(|_| line(None, false)).collect();
        }
        let descriptor = self.blobs.put_json(CONFIG, &shown)?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor,
            "layers": layers.iter().map(|layer| &layer.descriptor).collect::<Vec<_>>(),
        });
        let manifest = self.blobs.put_json(MANIFEST, &manifest)?;
        let mut top = serde_json::to_value(&manifest)?;
        top["platform"] = json!({ "architecture": config["architecture"], "os": config["os"] });
        Ok(Assembled {
            inputs: String::new(),
            top,
            layers,
            config,
            documents: vec![descriptor, manifest],
            children: Vec::new(),
        })
    }

    fn layer(&self, mut tree: Tree, wanted: &LayerRecipe, lower: &[Layer]) -> Result<Layer> {
        let mut below = Directories::new();
        for layer in lower {
            below.extend(layer.directories.clone());
        }
        tree.complete(&below);
        let bytes = tar(&tree)?;
        let (stored, described) = damage(compress(&bytes, wanted.compression)?, wanted.damage);
        Ok(Layer {
            descriptor: self
                .blobs
                .put(media_type(wanted.compression), &stored, &described)?,
            diff_id: sha256(&bytes),
            stored: sha256(&stored),
            directories: tree.directories(),
        })
    }

    fn write(&self, image: &Assembled, out: &Path) -> Result<()> {
        let documents = image
            .documents
            .iter()
            .map(|document| (&*document.digest, &*document.digest));
        let layers = image.layers.iter().chain(&image.children);
        let layers = layers.map(|layer| (&*layer.descriptor.digest, &*layer.stored));
        let blobs: Vec<_> = documents.chain(layers).collect();
        let mut top = image.top.clone();
        top["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
        self.blobs.layout(out, &top, &blobs)
    }
}
