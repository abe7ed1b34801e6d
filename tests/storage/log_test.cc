// Lines of the log: what the process writes to standard error, caught in a file.
#include "storage/base/log.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "storage/base/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// Standard error goes to a file as long as this lives.
class CaughtLog {
 public:
  CaughtLog() : kept_(dup(STDERR_FILENO)) {
    const std::string path = Path();
    std::FILE* const file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    dup2(fileno(file), STDERR_FILENO);
    std::fclose(file);
    REQUIRE(SetUpLog("a program", "info").ok());
  }
  ~CaughtLog() {
    dup2(kept_, STDERR_FILENO);
    close(kept_);
  }

  std::string Text() const {
    std::ifstream file(Path());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::string Path() const { return directory_ / "log"; }

  TempDir directory_;
  const int kept_;
};

std::string Json(absl::string_view text) {
  std::string json;
  AppendJsonString(text, json);
  return json;
}

TEST_CASE("a line of the log is one JSON object with its time, level, program and fields") {
  std::string text;
  {
    const CaughtLog log;
    LogInfo("request", {{"id", "a\"b"}, {"n", 42}, {"ms", 0.5}, {"ok", true}});
    Log(LogLevel::kDebug, "not written");
    text = log.Text();
  }
  const std::regex line(
      R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"info","program":"a program",)"
      R"("message":"request","id":"a\\"b","n":42,"ms":0\.5,"ok":true\}\n)");
  CAPTURE(text);
  CHECK(std::regex_match(text, line));
}

TEST_CASE("text of any bytes is a JSON string") {
  CHECK(Json("") == R"("")");
  CHECK(Json("plain text") == R"("plain text")");
  CHECK(Json("a\"b\\c") == R"("a\"b\\c")");
  CHECK(Json("\n\r\t") == R"("\n\r\t")");
  CHECK(Json(absl::string_view("\0\x1F\x7F", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(Json("\xC3\xA9 end") == "\"\xC3\xA9 end\"");
  CHECK(Json("a\xFFz\xC3") == "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace relations
