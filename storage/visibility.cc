#include "storage/visibility.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace relations {
namespace {

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

VisibleClasses::VisibleClasses(std::vector<ClassId> sorted_classes)
    : number_(NextNumber()), classes_(std::move(sorted_classes)) {}

bool VisibleClasses::Contains(ClassId visibility) const {
  return std::binary_search(classes_.begin(), classes_.end(), visibility);
}

const ClassId* VisibleClasses::AtOrAfter(ClassId from) const {
  const auto found = std::lower_bound(classes_.begin(), classes_.end(), from);
  return found == classes_.end() ? nullptr : &*found;
}

ClassTable::ClassTable() { Add(GroupSet{"public"}); }

const ClassId* ClassTable::Find(const GroupSet& groups) const {
  const auto found = classes_.find(groups);
  return found == classes_.end() ? nullptr : &found->second;
}

ClassId ClassTable::Add(GroupSet groups) {
  const ClassId visibility = next();
  for (const std::string& group : groups) {
    classes_by_group_[group].push_back(visibility);
  }
  groups_.push_back(std::make_unique<const GroupSet>(groups));
  classes_.emplace(std::move(groups), visibility);
  return visibility;
}

const GroupSet* ClassTable::Groups(ClassId visibility) const {
  const auto index = static_cast<size_t>(visibility);
  return index < groups_.size() ? groups_[index].get() : nullptr;
}

std::shared_ptr<const VisibleClasses> ClassTable::VisibleTo(const GroupSet& groups) const {
  std::vector<ClassId> visible;
  for (const std::string& group : groups) {
    const auto found = classes_by_group_.find(group);
    if (found != classes_by_group_.end()) {
      visible.insert(visible.end(), found->second.begin(), found->second.end());
    }
  }
  std::sort(visible.begin(), visible.end());
  visible.erase(std::unique(visible.begin(), visible.end()), visible.end());
  return std::make_shared<const VisibleClasses>(std::move(visible));
}

}  // namespace relations
