// Reads protobuf wire format in place: tags, varints, length-delimited spans; nothing is copied.
//
//   WireReader reader(bytes);
//   while (reader.NextField(field)) { if (field.number == 1) Use(field.bytes); }
//   if (!reader.ok()) ...   // the bytes are no message
//
// Spans point into the bytes given to the constructor. Nothing is read past a failed check. Groups
// (deprecated, used by no message of this API) count as damage.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace relations::gateway {

// One field as it stands on the wire.
struct WireField {
  enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  uint32_t number = 0;
  Type type = Type::kVarint;
  // The value of kVarint, and the little-endian bits of kFixed64 and kFixed32.
  uint64_t scalar = 0;
  // The content of kBytes.
  absl::string_view bytes;
};

class WireReader {
 public:
  explicit WireReader(absl::string_view bytes)
      : position_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Reads the next field. False at the end, and at damage: ok() tells which.
  bool NextField(WireField& field) {
    // Nearly every field of this API has a tag and a length of one byte each; the general case is
    // a call.
    if (end_ - position_ < 2 ||
        (position_[0] & 0x87) != static_cast<int>(WireField::Type::kBytes) || position_[1] < 0) {
      return NextAnyField(field);
    }
    const auto number = static_cast<uint8_t>(position_[0]) >> 3;
    const auto size = static_cast<size_t>(position_[1]);
    if (number == 0 || size > static_cast<size_t>(end_ - position_ - 2)) {
      return Fail();
    }
    field.number = static_cast<uint32_t>(number);
    field.type = WireField::Type::kBytes;
    field.bytes = absl::string_view(position_ + 2, size);
    position_ += 2 + size;
    return true;
  }

  // Reads the next bare value of a packed list, without a tag. False as NextField.
  bool NextElement(WireField::Type type, WireField& element);

  bool ok() const { return ok_; }

 private:
  bool NextAnyField(WireField& field);
  bool ReadValue(WireField& field);
  bool ReadVarint(uint64_t& value);
  bool ReadFixed(int size, uint64_t& value);
  bool Fail() {
    ok_ = false;
    position_ = end_;
    return false;
  }

  const char* position_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace relations::gateway
