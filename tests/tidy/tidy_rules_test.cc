// The house's mechanical rules hold over the whole tree; and every rule can fail.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/tidy/rules.h"

namespace relations::tidy {
namespace {

// What breaks a rule with good reason.
struct Exception {
  std::string rule;
  std::string path;
  std::string reason;
};

const std::vector<Exception>& Exceptions() {
  static const std::vector<Exception> exceptions = {
      {"libraries do not print", "storage/base/settings.cc", "--help goes to standard output"},
      {"storage logs", "storage/base/settings.cc", "wrong settings are told on standard error"},
      {"no hidden tests", "tests/storage/bulk_import_test.cc",
       "the program that another test of the file starts, to die in it"},
      {"no sleeping", "tests/conformance/lifecycle_test.cc",
       "a client's pause between two tries while a server restarts; what is waited for is the "
       "answer"},
  };
  return exceptions;
}

bool IsExcepted(const std::string& rule, const std::string& path) {
  return std::any_of(Exceptions().begin(), Exceptions().end(), [&](const Exception& exception) {
    return exception.rule == rule && exception.path == path;
  });
}

std::string Told(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    text += "\n" + fault.path + ":" + std::to_string(fault.line) + ": " + fault.what;
  }
  return text;
}

const SourceTree& Repository() {
  static const SourceTree tree = SourceTree::Load(RELATIONS_SOURCE_DIR);
  return tree;
}

TEST_CASE("the tree obeys every rule") {
  REQUIRE(Repository().files().size() > 100);
  for (const Rule& rule : AllRules()) {
    CAPTURE(rule.name);
    std::vector<Fault> faults = rule.check(Repository());
    faults.erase(
        std::remove_if(faults.begin(), faults.end(),
                       [&](const Fault& fault) { return IsExcepted(rule.name, fault.path); }),
        faults.end());
    INFO(Told(faults));
    CHECK(faults.empty());
  }
}

TEST_CASE("an exception is one as long as it is needed") {
  for (const Exception& exception : Exceptions()) {
    CAPTURE(exception.rule, exception.path);
    CHECK_FALSE(exception.reason.empty());
    size_t needed = 0;
    for (const Rule& rule : AllRules()) {
      if (rule.name != exception.rule) continue;
      for (const Fault& fault : rule.check(Repository())) needed += fault.path == exception.path;
    }
    CHECK(needed > 0);
  }
}

// A tree that breaks a rule, at its file `path`, and one like it that does not.
struct Sample {
  std::string rule;
  std::string path;
  std::map<std::string, std::string> bad;
  std::map<std::string, std::string> good;
};

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "int x;\n";
  return text;
}

std::vector<Sample> LayerSamples() {
  const auto include = [](const std::string& path, const std::string& refused,
                          const std::string& allowed) {
    return Sample{"layers by include",
                  path,
                  {{path, "#include \"" + refused + "\"\n"}},
                  {{path, "#include \"" + allowed + "\"\n"}}};
  };
  const auto link = [](const std::string& folder, const std::string& refused,
                       const std::string& allowed) {
    const std::string path = folder + "/CMakeLists.txt";
    const std::string call = "# links\ntarget_link_libraries(relations_x\n  PRIVATE a ";
    return Sample{
        "layers by link", path, {{path, call + refused + ")\n"}}, {{path, call + allowed + ")\n"}}};
  };
  return {include("gateway/a.cc", "storage/graph_store.h", "storage/base/log.h"),
          include("gateway/a.h", "server/config.h", "relations/v1/relations.pb.h"),
          include("gateway/a.cc", "rocksdb/db.h", "gateway/b.h"),
          include("storage/a.cc", "server/server.h", "rocksdb/db.h"),
          include("storage/rocks/a.cc", "gateway/front.h", "storage/graph_store.h"),
          include("storage/a.h", "grpcpp/grpcpp.h", "relations/v1/relations.pb.h"),
          include("storage/base/a.h", "storage/visibility.h", "storage/base/b.h"),
          include("storage/base/a.h", "relations/v1/relations.pb.h", "spdlog/spdlog.h"),
          include("storage/import/a.cc", "storage/rocks/database.h", "storage/graph_types.h"),
          include("storage/a.cc", "tests/support/catch.h", "storage/b.h"),
          include("server/a.cc", "gateway/front.h", "storage/graph_store.h"),
          {"layers by include",
           "proto/a.proto",
           {{"proto/a.proto", "import \"storage/a.proto\";\n"}},
           {{"proto/a.proto", "import \"google/protobuf/struct.proto\";\n"}}},
          link("gateway", "relations::storage", "relations::base"),
          link("gateway", "relations_graph", "relations::proto"),
          link("storage", "gRPC::grpc++", "RocksDB::rocksdb-shared"),
          link("storage/import", "relations::storage", "relations::graph"),
          link("server", "relations::gateway", "relations::storage"),
          link("proto", "relations::base", "protobuf::libprotobuf"),
          {"RocksDB stays inside storage",
           "server/a.cc",
           {{"server/a.cc", "#include \"rocksdb/db.h\"\n"}},
           {{"storage/rocks/a.cc", "#include \"rocksdb/db.h\"\n"}}}};
}

std::vector<Sample> BuildSamples() {
  const std::string test = "TEST_CASE(\"a sentence\") {}\n";
  const std::string add = "relations_add_test(NAME a\n  SOURCES ";
  return {
      {"every source is built",
       "server/b.cc",
       {{"server/CMakeLists.txt", "add_library(s a.cc)  # b.cc\n"}, {"server/b.cc", ""}},
       {{"server/CMakeLists.txt", "add_library(s a.cc\n  b.cc)\n"}, {"server/b.cc", ""}}},
      {"every source is built",
       "tests/support/m.cc",
       {{"tests/x/CMakeLists.txt", "add_library(s m.cc)\n"}, {"tests/support/m.cc", ""}},
       {{"tests/x/CMakeLists.txt", "add_library(s ${CMAKE_SOURCE_DIR}/tests/support/m.cc)\n"},
        {"tests/support/m.cc", ""}}},
      {"every test is run",
       "tests/a/b_test.cc",
       {{"tests/a/CMakeLists.txt", add + "a_test.cc)\nadd_library(b b_test.cc)\n"},
        {"tests/a/b_test.cc", test}},
       {{"tests/a/CMakeLists.txt", add + "a_test.cc b_test.cc)\n"}, {"tests/a/b_test.cc", test}}},
      {"every test is run",
       "tests/a/b_test.cc",
       {{"tests/a/CMakeLists.txt", "# " + add.substr(0, 20) + " b_test.cc)\n"},
        {"tests/a/b_test.cc", test}},
       {{"tests/a/CMakeLists.txt", add + "b_test.cc LIBS x)\n"}, {"tests/a/b_test.cc", test}}},
      {"every test is run",
       "tests/a/b.cc",
       {{"tests/a/CMakeLists.txt", add + "b.cc)\n"}, {"tests/a/b.cc", test}},
       {{"tests/a/CMakeLists.txt", add + "b.cc)\n"}, {"tests/a/b.cc", "// TEST_CASE(\n"}}},
      {"a source stands once in a target",
       "a/CMakeLists.txt",
       {{"a/CMakeLists.txt", "add_library(s\n  a.cc\n  a.cc)\n"}},
       {{"a/CMakeLists.txt", "add_library(s a.cc)\nadd_library(t a.cc)\n"}}},
      {"every folder is added",
       "a/CMakeLists.txt",
       {{"CMakeLists.txt", "# add_subdirectory(a)\n"}, {"a/CMakeLists.txt", ""}},
       {{"CMakeLists.txt", "add_subdirectory(a)\n"}, {"a/CMakeLists.txt", ""}}}};
}

std::vector<Sample> CodeSamples() {
  const auto code = [](const std::string& rule, const std::string& path, const std::string& bad,
                       const std::string& good) {
    return Sample{rule, path, {{path, bad}}, {{path, good}}};
  };
  const std::string marks = "no marks of unfinished work";
  const std::string headers = "headers say what they are";
  const std::string long_line = "// " + std::string(97, 'x');
  return {
      code(marks, "a.cc",
           "// TO"
           "DO: more\n",
           "// to do\n"),
      code(marks, "a.sh",
           "# FIX"
           "ME\n",
           "# FIXMENOT\n"),
      code(marks, "a.md",
           "XX"
           "X\n",
           "mkdtemp XXXXXX\n"),
      code("no dead code", "a.cc",
           "#if "
           "0\n#endif\n",
           "#if A\n#endif\n"),
      code("lines of at most 100 columns", "a.cc", long_line + "y\n", long_line + "\n"),
      code("lines of at most 100 columns", "a.cc", long_line + "yy\n",
           long_line.substr(2) + "\xC3\xA9\n"),
      code("files that can be read in one sitting", "server/a.cc", Lines(451), Lines(450)),
      code("files that can be read in one sitting", "tests/a.cc", Lines(601), Lines(600)),
      code(headers, "a.h", "#pragma once\n", "// What it is.\n#pragma once\n"),
      code(headers, "a.h", "// What it is.\nint x;\n", "// What it is.\n\n#pragma once\nint x;\n"),
      code(headers, "a.h",
           "// What.\n#pragma once\nusing namespace "
           "std;\n",
           "// What.\n#pragma once\nusing std::string;\n"),
      code("libraries do not print", "server/a.cc", "std::cout << 1;\n", "LogInfo(\"1\", {});\n"),
      code("libraries do not print", "storage/a.cc", "printf(\"1\");\n", "snprintf(a, 1, \"\");\n"),
      {"libraries do not print",
       "gateway/a.cc",
       {{"gateway/a.cc", "std::cout << 1;\n"}},
       {{"gateway/main.cc", "std::cout << 1;\n"}}},
      code("storage logs", "storage/a.cc", "std::cerr << 1;\n", "LogError(\"1\", {});\n"),
      code("no sleeping", "a.cc",
           "std::this_thread::sleep"
           "_for(x);\n",
           "condition.wait(lock);\n"),
      code("no sleeping", "a.cc",
           "  sleep"
           "(1);\n",
           "overslept(1);\n"),
      code("no hidden tests", "a_test.cc",
           "TEST_CASE(\"a\", \"[."
           "slow]\") {\n",
           "TEST_CASE(\"a [1.2]\") {\n"),
      code("no hidden tests", "a_test.cc",
           "TEST_CASE(\"a\", \"[!may"
           "fail]\") {\n",
           "TEST_CASE(\"a\", \"[slow]\") {\n"),
      code("clean white space", "a.md", "text \n", "text\n"),
      code("clean white space", "a.cc", "int a;\r\n", "int a;\n"),
      code("clean white space", "a.cc", "int a;", "int a;\n"),
      code("clean white space", "a.cc", "\tint a;\n", "  int a;\n")};
}

std::vector<Sample> DocumentSamples() {
  const std::string links = "links lead somewhere";
  return {
      {links, "a/b.md", {{"a/b.md", "[x](c.md)\n"}}, {{"a/b.md", "[x](c.md)\n"}, {"a/c.md", ""}}},
      {links, "a/b.md", {{"a/b.md", "[x](../c/)\n"}}, {{"a/b.md", "[x](../c/)\n"}, {"c/d", ""}}},
      {links, "b.md", {{"b.md", "[x](../b.md)\n"}}, {{"b.md", "[x](https://example.com/b.md)\n"}}},
      {links,
       "b.md",
       {{"b.md", "# Two words!\n[x](#two)\n"}},
       {{"b.md", "# Two words!\n[x](#two-words)\n"}}},
      {"every folder tells what it is",
       "a/README.md",
       {{"README.md", ""}, {"a/b.cc", ""}},
       {{"README.md", ""}, {"a/b.cc", ""}, {"a/README.md", ""}, {".ci/run", ""}}},
      {"every folder tells what it is", "README.md", {{"a", ""}}, {{"a", ""}, {"README.md", ""}}},
      {"a top level of known names",
       "notes",
       {{"notes/a.txt", ""}, {"notes/b.txt", ""}},
       {{"README.md", ""}, {".gitignore", ""}, {"server/a.cc", ""}}},
      {"no large files",
       "a.bin",
       {{"a.bin", std::string((1 << 20) + 1, 'x')}},
       {{"a.bin", std::string(1 << 20, 'x')}, {"deploy/sample/b", std::string(1 << 21, 'x')}}}};
}

TEST_CASE("every rule finds what breaks it, and nothing else") {
  std::vector<Sample> samples;
  for (const auto& more : {LayerSamples(), BuildSamples(), CodeSamples(), DocumentSamples()}) {
    samples.insert(samples.end(), more.begin(), more.end());
  }
  std::set<std::string> shown;
  for (const Sample& sample : samples) {
    CAPTURE(sample.rule, sample.path, sample.bad.begin()->second.substr(0, 200));
    for (const Rule& rule : AllRules()) {
      if (rule.name != sample.rule) continue;
      shown.insert(rule.name);
      const std::vector<Fault> found = rule.check(SourceTree(sample.bad));
      REQUIRE(found.size() == 1);
      CHECK(found.front().path == sample.path);
      const std::vector<Fault> none = rule.check(SourceTree(sample.good));
      INFO(Told(none));
      CHECK(none.empty());
    }
  }
  // A rule without a sample may never fail.
  for (const Rule& rule : AllRules()) {
    CAPTURE(rule.name);
    CHECK(shown.contains(rule.name));
  }
}

}  // namespace
}  // namespace relations::tidy
