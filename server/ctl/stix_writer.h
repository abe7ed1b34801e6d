// An answer of the read API as a STIX 2.1 bundle, for tools that read that.
//
// An entity becomes the object that import makes the same entity of (storage/import/README.md):
// an observable where STIX has one, a domain object where it has one, else a custom object of the
// entity's type whose `name` is its value. A relation becomes a `relationship`. Each object has
// `x_relations_id`, the entity's id. Ids of objects are UUIDs of version 5: the same entity has the
// same id in every bundle; observables have the ids that STIX prescribes.
//
// STIX has no place for reputation, accuracy, groups and further attributes: they are left out. A
// `file` is named by its value, whatever kind of value that is.
#pragma once

#include <string>

#include "relations/v1/relations.pb.h"

namespace relations {

// One line of JSON.
std::string StixBundle(const v1::GetRelationsResponse& answer);

}  // namespace relations
