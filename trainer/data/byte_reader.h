#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace convoy {

/// A regular file read from front to back, unpacked on the way where it starts as a gzip file does. Every
/// error is an Error(data) that names the file, the place and what to do.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path);

  const std::string& name() const { return name_; }

  /// Bytes read so far, after unpacking.
  std::int64_t offset() const { return offset_; }

  /// What the whole content cannot be longer than, from the size of the file; deflate packs at most 1032:1.
  std::int64_t most_bytes() const;

  /// Reads `bytes` bytes of `what` (a noun for messages). Fails where the file ends before.
  void read(std::uint8_t* out, std::int64_t bytes, std::string_view what);

  /// The same into new storage, which grows as the bytes come in: a lie in a header costs no memory.
  std::vector<std::uint8_t> read_all(std::int64_t bytes, std::string_view what);

  /// Reads one record; false at the end of the file, and an error when the file ends inside the record.
  bool read_record(std::uint8_t* out, std::int64_t bytes, std::string_view what);

  /// Fails unless the file ends here; checks gzip's check sum on the way.
  void expect_end();

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };

  std::int64_t read_some(std::uint8_t* out, std::int64_t bytes);
  [[noreturn]] void cut_short(std::int64_t bytes, std::string_view what) const;

  std::string name_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
  std::int64_t offset_ = 0;
};

/// `path`, or with ".gz" added, or with ".gz" taken off: the first that exists.
std::optional<std::filesystem::path> find_packed_or_not(const std::filesystem::path& path);

}  // namespace convoy
