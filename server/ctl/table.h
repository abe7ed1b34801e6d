// A table in plain text: columns aligned by spaces, no colours, nothing cut.
//
//   Table table({"ID", "TYPE"});
//   table.Add({id, type});
//   out << table.Text();
#pragma once

#include <string>
#include <vector>

namespace relations {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }

  // `cells` has as many entries as there are headings. Made printable here.
  void Add(std::vector<std::string> cells);
  // The headings and the rows, one a line.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace relations
