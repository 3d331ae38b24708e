#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/trainer/data/folder_files.h"
#include "trainer/data/tar_reader.h"

namespace convoy {

inline Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// A tar header as POSIX.1-1988 describes it, written here a second time.
inline Bytes tar_header(const std::string& name, std::size_t size, char type = '0') {
  Bytes header(512);
  const auto put = [&](std::size_t at, const std::string& text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = static_cast<std::uint8_t>(type);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  put(148, fmt::format("{:06o}", sum));
  header[154] = 0;
  return header;
}

inline Bytes tar_member(const std::string& name, const Bytes& content, char type = '0') {
  Bytes filling((512 - content.size() % 512) % 512);
  return tar_header(name, content.size(), type) + content + filling;
}

/// The end of a tar file.
inline const Bytes kTarEnd(1024);

/// A tar file in memory.
class MemoryTar : public TarSource {
 public:
  explicit MemoryTar(Bytes bytes) : bytes_(std::move(bytes)) {}
  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    if (offset >= size()) return 0;
    const std::size_t count = std::min(out.size(), bytes_.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes_.begin() + offset, count, out.begin());
    return count;
  }
  std::string content(const TarMember& member) const {
    const auto first = bytes_.begin() + member.offset;
    return {first, first + member.bytes};
  }

 private:
  Bytes bytes_;
  std::string name_ = "memory.tar";
};

inline std::vector<TarMember> members_of(const TarSource& source) {
  std::vector<TarMember> members;
  TarReader reader(source);
  for (TarMember member; reader.next(member);) members.push_back(member);
  return members;
}

/// Runs a command of the shell; what it prints is left alone.
inline void shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

/// Shards root/NAME-000000.tar ... of so many samples each: number "i" of the whole set is the picture
/// colour(i), its label i % classes. Sizes need not be equal.
inline void write_shards(const Folder& folder, const std::string& name, const std::vector<int>& sizes,
                         int classes, int height = 12, int width = 16) {
  int number = 0;
  for (std::size_t shard = 0; shard < sizes.size(); ++shard) {
    Bytes tar;
    for (int i = 0; i < sizes[shard]; ++i, ++number) {
      const std::string key = fmt::format("{:04}", number);
      tar = tar + tar_member(key + ".jpg", jpeg_of(colour(number, height, width))) +
            tar_member(key + ".cls", bytes_of(std::to_string(number % classes)));
    }
    folder.write(fmt::format("{}-{:06}.tar", name, shard), tar + kTarEnd);
  }
}

}  // namespace convoy
