#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace convoy {

inline constexpr std::int64_t kTarBlock = 512;

/// Names in a tar file longer than this are refused.
inline constexpr std::int64_t kMostTarName = std::int64_t{1} << 16;

/// Bytes that a TarReader reads: a shard, or memory.
class TarSource {
 public:
  virtual ~TarSource() = default;
  /// What messages call it.
  virtual const std::string& name() const = 0;
  virtual std::int64_t size() const = 0;
  /// Reads from byte `offset` on; returns how many bytes there were, fewer than asked for at the end.
  virtual std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> out) const = 0;
};

/// What a tar file holds at one place.
struct TarMember {
  std::string name;              ///< as it stands there, "a/b.jpg"
  std::int64_t offset = 0;       ///< of its content; its header is the kTarBlock bytes before
  std::int64_t bytes = 0;        ///< of its content
  std::uint32_t header_crc = 0;  ///< CRC-32 of that header: tells whether the member is still there
  bool is_file = false;
  bool is_folder = false;  ///< neither: a link, a device
};

/// Goes through a tar file from front to back: POSIX.1-1988 ustar, POSIX.1-2001 pax (its `path` and `size`),
/// GNU tar's long names and large sizes, and the format of Version 7 (tar(5) of libarchive describes all).
/// Contents are not read.
///
/// Every deviation is an Error(data) that names file, byte and what to do: a header whose check sum is wrong,
/// a member that ends past the file, a file without the blocks of zeros that end it, bytes after those,
/// sparse members, a packed file.
class TarReader {
 public:
  /// `source` must outlive the reader.
  explicit TarReader(const TarSource& source) : source_(source) {}

  /// The next member; false at the end.
  bool next(TarMember& member);

 private:
  using Block = std::array<std::uint8_t, kTarBlock>;

  /// What headers before a member say of it.
  struct Extension {
    std::string name;
    std::int64_t bytes = -1;  ///< -1: nothing
  };

  void read_block(Block& block) const;
  void check_start(const Block& block) const;
  void check_end() const;
  std::string read_content(std::int64_t bytes, const char* what);
  void read_pax(const std::string& records, Extension& extension) const;
  void advance(std::int64_t bytes);
  [[noreturn]] void broken(const std::string& what) const;

  const TarSource& source_;
  std::int64_t at_ = 0;  ///< the next header's place
};

}  // namespace convoy
