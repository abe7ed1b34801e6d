// Visibility: from a caller's groups to the classes of records that it may see. A class is an
// interned set of groups (the `visibleBy` of a record); a record is visible when its class shares a
// group with the caller, compared exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "storage/graph_types.h"

namespace relations {

// The classes visible to one set of groups: sorted, each once. Immutable, hence thread-safe.
class VisibleClasses {
 public:
  explicit VisibleClasses(std::vector<ClassId> sorted_classes);
  // A copy would bear the same number.
  VisibleClasses(const VisibleClasses&) = delete;
  VisibleClasses& operator=(const VisibleClasses&) = delete;

  // Of this object and no other that the process ever has: what was found for these classes can be
  // kept under it.
  uint64_t number() const { return number_; }

  bool Contains(ClassId visibility) const;
  // The first visible class at or after `from`, or nullptr when there is none.
  const ClassId* AtOrAfter(ClassId from) const;
  absl::Span<const ClassId> classes() const { return classes_; }

 private:
  const uint64_t number_;
  std::vector<ClassId> classes_;
};

// The table of all classes of a store, in memory. Classes are only ever added. Not thread-safe: its
// owner guards it.
class ClassTable {
 public:
  // The table with class 0, {"public"}, in it.
  ClassTable();

  // The class of a canonical set, or nullptr when it was never interned.
  const ClassId* Find(const GroupSet& groups) const;
  // The number that the next Add must use.
  ClassId next() const { return ClassId{static_cast<uint32_t>(groups_.size())}; }
  // Adds the set as class next().
  ClassId Add(GroupSet groups);
  // The groups of a class, or nullptr when there is no such class. Lives as long as the table.
  const GroupSet* Groups(ClassId visibility) const;
  size_t size() const { return groups_.size(); }

  // The classes that share a group with `groups`.
  std::shared_ptr<const VisibleClasses> VisibleTo(const GroupSet& groups) const;

 private:
  // unique_ptr: the sets keep their place while the table grows.
  std::vector<std::unique_ptr<const GroupSet>> groups_;
  absl::flat_hash_map<GroupSet, ClassId> classes_;
  absl::flat_hash_map<std::string, std::vector<ClassId>> classes_by_group_;
};

}  // namespace relations
