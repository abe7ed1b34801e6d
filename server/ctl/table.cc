#include "server/ctl/table.h"

#include <algorithm>
#include <cstddef>

#include "server/ctl/printable.h"

namespace relations {

void Table::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) {
      text += row[i];
      // The last column needs no blanks behind it.
      if (i + 1 < widths.size()) text.append(widths[i] - Columns(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace relations
