#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

/// The folders of class folders that `root` names: its folders "train" and "val", those of them that it has;
/// or `root` itself where it has neither. Throws Error(data) where it is no folder.
std::vector<std::filesystem::path> data_folders(const std::string& root);

int data_index(const std::vector<std::string>& arguments);
int data_check(const std::vector<std::string>& arguments);
int data_show(const std::vector<std::string>& arguments);

}  // namespace convoy
