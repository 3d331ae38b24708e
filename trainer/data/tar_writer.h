#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

/// Writes a ustar file of regular files, the same bytes for the same contents: owner and time are 0. Until
/// commit() it is PATH.part; without a commit that is removed again. Errors are Error(internal) with the
/// system's reason.
class TarWriter {
 public:
  explicit TarWriter(std::string path);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  /// `name` has 1 to 100 bytes, without a 0.
  void add(std::string_view name, std::span<const std::uint8_t> content);

  /// Ends the file, has it on the disk, reads all of it back and compares it with what was written, then
  /// gives it its name.
  void commit();

  /// Of the whole file, after commit().
  std::int64_t bytes() const { return bytes_; }

 private:
  void write(std::span<const std::uint8_t> bytes);
  void flush();
  void check_written() const;
  [[noreturn]] void cannot_write(int error) const;

  std::string path_;
  std::string partial_;
  int descriptor_;
  std::vector<std::uint8_t> buffer_;
  std::int64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
};

}  // namespace convoy
