#include "gateway/wire_reader.h"

namespace relations::gateway {
namespace {

constexpr int kVarintBytesMax = 10;
constexpr uint64_t kFieldNumberMax = (1u << 29) - 1;

}  // namespace

bool WireReader::ReadVarint(uint64_t& value) {
  value = 0;
  for (int i = 0; i < kVarintBytesMax && position_ != end_; ++i) {
    const auto byte = static_cast<uint8_t>(*position_++);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      return true;
    }
  }
  return Fail();
}

bool WireReader::ReadFixed(int size, uint64_t& value) {
  if (end_ - position_ < size) {
    return Fail();
  }
  value = 0;
  for (int i = 0; i < size; ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(position_[i])) << (8 * i);
  }
  position_ += size;
  return true;
}

bool WireReader::NextAnyField(WireField& field) {
  if (position_ == end_) {
    return false;
  }
  uint64_t tag = 0;
  if (!ReadVarint(tag)) {
    return false;
  }
  const uint64_t number = tag >> 3;
  if (number == 0 || number > kFieldNumberMax) {
    return Fail();
  }
  field.number = static_cast<uint32_t>(number);
  field.type = static_cast<WireField::Type>(tag & 7);
  return ReadValue(field);
}

bool WireReader::NextElement(WireField::Type type, WireField& element) {
  element.type = type;
  return position_ != end_ && ReadValue(element);
}

bool WireReader::ReadValue(WireField& field) {
  switch (field.type) {
    case WireField::Type::kVarint:
      return ReadVarint(field.scalar);
    case WireField::Type::kFixed64:
      return ReadFixed(8, field.scalar);
    case WireField::Type::kFixed32:
      return ReadFixed(4, field.scalar);
    case WireField::Type::kBytes: {
      uint64_t size = 0;
      if (!ReadVarint(size)) {
        return false;
      }
      if (size > static_cast<uint64_t>(end_ - position_)) {
        return Fail();
      }
      field.bytes = absl::string_view(position_, size);
      position_ += size;
      return true;
    }
  }
  return Fail();
}

}  // namespace relations::gateway
