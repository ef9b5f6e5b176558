//! From definitions to a schema: names first, then what refers to them.

use super::{
    AttributeId, AttributeType, ClassId, ELEMENTS_LIMIT, Names, ObjectClass, SUPERIORS_LIMIT, Schema,
};
use crate::definition::{AttributeDefinition, ClassDefinition, ClassKind, Definition};
use crate::error::{Fault, Problem};
use crate::matching::{Rule, RuleKind};
use crate::syntax::Syntax;
use crate::text::{NAME_LIMIT, is_descriptor, is_element_oid};

/// Resolve all definitions; on failure all that is wrong with them.
pub(super) fn build(definitions: Vec<Definition>) -> Result<Schema, Vec<Problem>> {
    if definitions.len() > ELEMENTS_LIMIT {
        return Err(vec![Problem { element: "schema".to_owned(), fault: Fault::TooMany(ELEMENTS_LIMIT) }]);
    }
    let mut builder = Builder::default();
    for definition in definitions {
        builder.register(definition);
    }
    let superiors = builder.attribute_superiors();
    let class_superiors = builder.class_superiors();
    // Inheritance can only be followed when nothing is its own superior.
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    let attributes = builder.resolve_attributes(&superiors);
    let classes = builder.resolve_classes(&class_superiors);
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    Ok(Schema {
        attributes,
        classes,
        attribute_names: builder.attribute_names,
        class_names: builder.class_names,
    })
}

#[derive(Default)]
struct Builder {
    attributes: Vec<AttributeDefinition>,
    classes: Vec<ClassDefinition>,
    attribute_names: Names,
    class_names: Names,
    /// Everything with an OID, to find one that is used twice.
    oids: Names,
    oid_owners: Vec<String>,
    problems: Vec<Problem>,
}

impl Builder {
    fn fault(&mut self, element: &str, fault: Fault) {
        self.problems.push(Problem { element: element.to_owned(), fault });
    }

    /// Take an element in, by OID and names.
    fn register(&mut self, definition: Definition) {
        let label = definition.label().to_owned();
        let (oid, names, place) = match &definition {
            Definition::Attribute(attribute) => (&attribute.oid, &attribute.names, self.attributes.len()),
            Definition::Class(class) => (&class.oid, &class.names, self.classes.len()),
        };
        self.register_oid(&label, oid);
        let is_class = matches!(definition, Definition::Class(_));
        for name in names.iter().chain([oid]) {
            let by_name = if is_class { &mut self.class_names } else { &mut self.attribute_names };
            let taken = by_name.insert(name, place).is_some();
            if name != oid && (!is_descriptor(name) || name.len() > NAME_LIMIT) {
                self.fault(&label, Fault::BadName(name.clone()));
            } else if name != oid && taken {
                self.fault(&label, Fault::DuplicateName(name.clone()));
            }
        }
        match definition {
            Definition::Attribute(attribute) => self.attributes.push(attribute),
            Definition::Class(class) => self.classes.push(class),
        }
    }

    fn register_oid(&mut self, label: &str, oid: &str) {
        if !is_element_oid(oid) || oid.len() > NAME_LIMIT {
            return self.fault(label, Fault::BadOid(oid.to_owned()));
        }
        let builtin = Syntax::from_oid(oid)
            .map(Syntax::name)
            .or_else(|| Rule::ALL.iter().find(|rule| rule.oid() == oid).map(|rule| rule.name()));
        self.oid_owners.push(label.to_owned());
        let previous = self.oids.insert(oid, self.oid_owners.len() - 1);
        let owner =
            builtin.map(str::to_owned).or_else(|| previous.map(|place| self.oid_owners[place].clone()));
        if let Some(owner) = owner {
            self.fault(label, Fault::DuplicateOid(owner));
        }
    }

    /// The place of every attribute's supertype.
    fn attribute_superiors(&mut self) -> Vec<Vec<usize>> {
        let mut superiors = Vec::with_capacity(self.attributes.len());
        let mut problems = Vec::new();
        for attribute in &self.attributes {
            let superior = attribute.superior.iter();
            superiors.push(places(&self.attribute_names, superior, &mut |name| {
                problems.push(problem(&attribute.names, &attribute.oid, Fault::UnknownSuperior(name)));
            }));
        }
        for (place, fault) in endless(&superiors) {
            let attribute = &self.attributes[place];
            problems.push(problem(&attribute.names, &attribute.oid, fault));
        }
        self.problems.append(&mut problems);
        superiors
    }

    /// The places of every class's superclasses.
    fn class_superiors(&mut self) -> Vec<Vec<usize>> {
        let mut superiors = Vec::with_capacity(self.classes.len());
        let mut problems = Vec::new();
        for class in &self.classes {
            superiors.push(places(&self.class_names, class.superiors.iter(), &mut |name| {
                problems.push(problem(&class.names, &class.oid, Fault::UnknownSuperior(name)));
            }));
        }
        for (place, fault) in endless(&superiors) {
            let class = &self.classes[place];
            problems.push(problem(&class.names, &class.oid, fault));
        }
        self.problems.append(&mut problems);
        superiors
    }

    fn resolve_attributes(&mut self, superiors: &[Vec<usize>]) -> Vec<AttributeType> {
        let mut resolved = Vec::with_capacity(self.attributes.len());
        let mut descendants = vec![Vec::new(); self.attributes.len()];
        for place in 0..self.attributes.len() {
            let ancestors = closure(superiors, place);
            for &ancestor in &ancestors {
                descendants[ancestor].push(AttributeId(place as u32));
            }
            resolved.extend(self.resolve_attribute(place, &ancestors));
        }
        if resolved.len() == descendants.len() {
            for (attribute, descendants) in resolved.iter_mut().zip(descendants) {
                attribute.descendants = descendants.into();
            }
        }
        resolved
    }

    fn resolve_attribute(&mut self, place: usize, ancestors: &[usize]) -> Option<AttributeType> {
        let definition = self.attributes[place].clone();
        let label = crate::definition::label(&definition.names, &definition.oid).to_owned();
        let chain =
            || std::iter::once(&definition).chain(ancestors.iter().map(|&place| &self.attributes[place]));
        let syntax = chain().find(|attribute| attribute.syntax.is_some());
        let bound = syntax.and_then(|attribute| attribute.bound);
        let syntax_oid = syntax.and_then(|attribute| attribute.syntax.clone());
        let inherited = |get: fn(&AttributeDefinition) -> &Option<String>| {
            chain().find_map(|attribute| get(attribute).clone())
        };
        let rules = [
            (inherited(|attribute| &attribute.equality), RuleKind::Equality),
            (inherited(|attribute| &attribute.ordering), RuleKind::Ordering),
            (inherited(|attribute| &attribute.substrings), RuleKind::Substrings),
        ];
        let superior = ancestors.first().map(|&place| self.attributes[place].clone());
        self.check_flags(&label, &definition, superior.as_ref());
        let [equality, ordering, substrings] = rules.map(|(name, kind)| self.rule(&label, name, kind));
        let syntax = match syntax_oid {
            None => {
                self.fault(&label, Fault::NoSyntax);
                return None;
            }
            Some(oid) => match Syntax::from_oid(&oid) {
                Some(syntax) => syntax,
                None => {
                    self.fault(&label, Fault::UnknownSyntax(oid));
                    return None;
                }
            },
        };
        Some(AttributeType {
            id: AttributeId(place as u32),
            definition,
            syntax,
            bound,
            equality,
            ordering,
            substrings,
            ancestors: ancestors.iter().map(|&place| AttributeId(place as u32)).collect(),
            descendants: Box::default(),
        })
    }

    fn check_flags(
        &mut self,
        label: &str,
        attribute: &AttributeDefinition,
        superior: Option<&AttributeDefinition>,
    ) {
        if attribute.no_user_modification && !attribute.usage.is_operational() {
            self.fault(
                label,
                Fault::Contradiction("NO-USER-MODIFICATION is for operational attributes only"),
            );
        }
        if attribute.collective && attribute.usage.is_operational() {
            self.fault(label, Fault::Contradiction("COLLECTIVE is for user attributes only"));
        }
        if attribute.collective && attribute.single_value {
            self.fault(label, Fault::Contradiction("a COLLECTIVE attribute cannot be SINGLE-VALUE"));
        }
        if let Some(superior) = superior
            && (superior.usage != attribute.usage || (superior.collective && !attribute.collective))
        {
            let name = crate::definition::label(&superior.names, &superior.oid).to_owned();
            self.fault(label, Fault::WrongSuperior(name));
        }
    }

    fn rule(&mut self, label: &str, name: Option<String>, kind: RuleKind) -> Option<Rule> {
        let name = name?;
        let rule = Rule::find(&name);
        match rule {
            None => self.fault(label, Fault::UnknownRule(name)),
            Some(rule) if rule.kind() != kind => self.fault(label, Fault::WrongRule(name)),
            Some(_) => {}
        }
        rule
    }

    fn resolve_classes(&mut self, superiors: &[Vec<usize>]) -> Vec<ObjectClass> {
        let mut resolved = Vec::with_capacity(self.classes.len());
        for place in 0..self.classes.len() {
            let ancestors = closure(superiors, place);
            let (mut must, mut may) = (Vec::new(), Vec::new());
            for class in std::iter::once(place).chain(ancestors.iter().copied()) {
                self.attributes_of(class, place, &mut must, &mut may);
            }
            must.sort_unstable();
            must.dedup();
            may.sort_unstable();
            may.dedup();
            may.retain(|attribute| must.binary_search(attribute).is_err());
            self.check_kind(place, &superiors[place]);
            resolved.push(ObjectClass {
                id: ClassId(place as u32),
                definition: self.classes[place].clone(),
                ancestors: ancestors.into_iter().map(|place| ClassId(place as u32)).collect(),
                must: must.into(),
                may: may.into(),
            });
        }
        resolved
    }

    /// Add the attributes of a class; those that are not defined are faults of the class itself, not of its subclasses.
    fn attributes_of(
        &mut self,
        class: usize,
        target: usize,
        must: &mut Vec<AttributeId>,
        may: &mut Vec<AttributeId>,
    ) {
        let definition = &self.classes[class];
        let mut unknown = Vec::new();
        for (names, out) in [(&definition.must, must), (&definition.may, may)] {
            let found = places(&self.attribute_names, names.iter(), &mut |name| unknown.push(name));
            out.extend(found.into_iter().map(|place| AttributeId(place as u32)));
        }
        if class == target {
            let label = crate::definition::label(&definition.names, &definition.oid).to_owned();
            for name in unknown {
                self.fault(&label, Fault::UnknownAttribute(name));
            }
        }
    }

    /// Abstract classes derive from abstract ones, the other kinds from abstract ones and their own.
    fn check_kind(&mut self, place: usize, superiors: &[usize]) {
        let kind = self.classes[place].kind;
        for &superior in superiors {
            let superior = &self.classes[superior];
            if superior.kind != ClassKind::Abstract && superior.kind != kind {
                let wrong =
                    Fault::WrongSuperior(crate::definition::label(&superior.names, &superior.oid).to_owned());
                let class = &self.classes[place];
                let problem = problem(&class.names, &class.oid, wrong);
                self.problems.push(problem);
            }
        }
    }
}

fn problem(names: &[String], oid: &str, fault: Fault) -> Problem {
    Problem { element: crate::definition::label(names, oid).to_owned(), fault }
}

/// Places of names; `unknown` is called with those that have none.
fn places<'n>(
    known: &Names,
    names: impl Iterator<Item = &'n String>,
    unknown: &mut impl FnMut(String),
) -> Vec<usize> {
    names
        .filter_map(|name| {
            let place = known.get(name);
            if place.is_none() {
                unknown(name.clone());
            }
            place
        })
        .collect()
}

/// Everything above `place`, each once, the nearest first; no more than one over the limit.
fn closure(superiors: &[Vec<usize>], place: usize) -> Vec<usize> {
    let mut found: Vec<usize> = superiors[place].clone();
    found.dedup();
    let mut next = 0;
    while let Some(&superior) = found.get(next) {
        for &above in &superiors[superior] {
            if found.len() > SUPERIORS_LIMIT {
                return found;
            }
            if !found.contains(&above) {
                found.push(above);
            }
        }
        next += 1;
    }
    found
}

/// Places that are among their own superiors, or have too many.
fn endless(superiors: &[Vec<usize>]) -> impl Iterator<Item = (usize, Fault)> {
    (0..superiors.len()).filter_map(|place| {
        let closure = closure(superiors, place);
        let fault = if closure.contains(&place) {
            Fault::Cycle
        } else if closure.len() > SUPERIORS_LIMIT {
            Fault::TooManySuperiors(SUPERIORS_LIMIT)
        } else {
            return None;
        };
        Some((place, fault))
    })
}
